"""What every command does alike: flags first, then work; bad input is one line.

The flags are parsed, and --help answered, before TensorFlow is imported.
"""

import os
import sys

from absl import app, flags

from vgan import InputError


def run(main):
    """Run `main(argv)`; exit 2 after one line where the input is bad.

    Args:
        main: Function of the positional arguments, [program, ...].
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    app.run(lambda argv: _guard(main, argv), flags_parser=_parse)


def _parse(argv):
    try:
        rest = flags.FLAGS(argv)
        if len(rest) > 1:
            raise flags.Error(
                f"unexpected argument {rest[1]!r}; every option is a --flag"
            )
        return rest
    except flags.Error as error:
        _fail(error)


def _guard(main, argv):
    try:
        return main(argv)
    except InputError as error:
        _fail(error)
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(error):
    line = " ".join(str(error).split())
    print(f"{sys.modules['__main__'].__spec__.name}: {line}", file=sys.stderr)
    sys.exit(2)
