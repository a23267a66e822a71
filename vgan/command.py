"""What every command does alike: flags first, then work; bad input is one line.

Exit codes: 0, all is done; 2, the input is bad and nothing is left behind; 3, some of
the input is lost and the result of the rest is kept; 130, 143 and 129: Ctrl-C, SIGTERM
and SIGHUP, as of a program that they end.

The flags are parsed, and --help answered, before TensorFlow is imported.

The library knows no flags. Its messages name arguments, as `strength=2: give ...` or
`output: is missing` at the beginning, or as `overwrite=True` and `run=NAME` anywhere;
`with_flags` makes --strength=2, --output, --overwrite and --run=NAME of them.
"""

import functools
import gc
import logging
import os
import re
import signal
import sys
import typing
import warnings
from collections.abc import Callable, Collection, Iterable

from absl import app, flags
from absl import logging as absl_logging

from vgan import DamagedError, InputError
from vgan.backend import ENDS, import_keras, importing, quiet  # noqa: F401


class Flags(flags.FlagValues):
    """The flags of one command, apart from those of all others in the process.

    Example:
        FLAGS = command.Flags()
        FLAGS.DEFINE_string("output", None, "folder to make")  # as of absl.flags
        command.run(main, FLAGS)  # FLAGS.output is known inside of main
    """

    def __getattr__(self, name: str) -> typing.Any:
        if name.startswith("DEFINE_"):
            return functools.partial(getattr(flags, name), flag_values=self)
        return super().__getattr__(name)


def run(
    main: Callable[[list[str]], object], *own: Flags, actions: Collection[str] = ()
) -> None:
    """Run `main(argv)`; exit as said above, after one line where the input is bad.

    Args:
        main: Function of the positional arguments, [program], or [program, action].
        own: The Flags that the user may give.
        actions: What the command can do, of which the user names one; without any, it
            takes flags alone.
    """
    # What TensorFlow cannot do it raises; its log is about what it tried in vain.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
    # A warning is a line for the user: no dates, no source lines, no news from JAX.
    absl_logging.get_absl_handler().setFormatter(logging.Formatter("%(message)s"))
    for name in ("jax", "tensorboard"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Pillow's, of large scans: `video.read_image` has a bound of its own.
    warnings.filterwarnings("ignore", "Image size .* exceeds limit")
    for flag in (one[name] for one in own for name in one):
        flags.FLAGS[flag.name] = flag
        flags.FLAGS.register_flag_by_module(sys.argv[0], flag)  # for --help
    parse = functools.partial(_parse, own=own, actions=actions)
    try:
        app.run(lambda argv: _guard(main, argv, own), flags_parser=parse)
    except KeyboardInterrupt:  # while the flags were parsed
        sys.exit(128 + signal.SIGINT)


def with_flags(message: str, names: Iterable[str]) -> str:
    """Return a message of the library with flags in the place of arguments.

    Args:
        message: Text, see above.
        names: Of the arguments that are flags of the command; other words stay.
    """
    name = "|".join(map(re.escape, names)) or "(?!)"  # which is nowhere
    message = re.sub(rf"^({name}):(?=\s)", r"--\1:", message)
    message = re.sub(rf"(?<!\S)({name})=", r"--\1=", message)
    return re.sub(rf"(?<!\S)(--(?:{name}))=True\b", r"\1", message)


def _parse(argv, own, actions):
    try:
        rest = flags.FLAGS(argv)
        for one in own:
            one.mark_as_parsed()
        given = rest[1:]
        if actions:
            known = ", ".join(actions)
            if not given:
                raise flags.Error(f"say what to do; known: {known}")
            action, *given = given
            if action not in actions:
                raise flags.Error(f"cannot do {action!r}; known: {known}")
        if given:
            raise flags.Error(
                f"unexpected argument {given[0]!r}; every option is a --flag"
            )
        return rest
    except flags.Error as error:
        _fail(error)
    except SystemExit:  # absl answered --help, and calls that a failure
        sys.exit(0)


def _guard(main, argv, own=()):
    # kill and a closed terminal end a command as Ctrl-C does: nothing half-written
    for name in ENDS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    try:
        try:
            return main(argv)
        finally:  # all is cleaned up: a second Ctrl-C has nothing to stop
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except InputError as error:
        code = 3 if isinstance(error, DamagedError) else 2
        message = with_flags(str(error), [name for one in own for name in one])
    except OSError as error:  # a full disk, a name that is too long, ...
        code = 2
        names = (error.filename, error.strerror or str(error))
        message = ": ".join(str(name) for name in names if name)
    except KeyboardInterrupt as stop:
        message, code = None, 128 + stopped_by(stop)
    # Outside of the handlers: an exception holds frames, and these hold threads of
    # TensorFlow that the interpreter would wait for.
    gc.collect()
    if message is None:
        sys.exit(code)
    _fail(message, code)


def _interrupt(number, frame):
    raise KeyboardInterrupt(number)


def stopped_by(stop: KeyboardInterrupt) -> int:
    """Number of the signal behind a KeyboardInterrupt."""
    number = next(iter(stop.args), None)
    return number if isinstance(number, int) else signal.SIGINT


def _fail(error, code=2):
    line = " ".join(str(error).split())
    spec = sys.modules["__main__"].__spec__
    name = spec.name if spec else os.path.basename(sys.argv[0])
    name = name.removesuffix(".__main__")
    print(f"{name}: {line}", file=sys.stderr)
    sys.exit(code)
