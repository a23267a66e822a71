"""Work on many machines: a function and its arguments as an Apache Beam pipeline."""

import contextlib
import io
import logging
import re
import signal
import threading
import typing
from collections.abc import Callable, Iterator, Sequence

from vgan import InputError


def run(
    function: Callable[[typing.Any], object],
    arguments: Sequence[typing.Any],
    flags: Sequence[str],
) -> None:
    """Call `function(argument)` with each of the arguments, on Beam's workers.

    A task whose worker dies is done again where the runner does so, as on a cluster;
    of Beam's own processes on this machine, the death of one ends all with an error.

    Args:
        function: What can be sent to another process; what it returns is dropped.
        arguments: List of small values: files are named, not sent.
        flags: Beam's own flags, as ["--runner=DirectRunner", "--direct_num_workers=4",
            "--direct_running_mode=multi_processing"].

    Raises:
        InputError: Beam is not installed, the runner is unknown, or a task failed.
    """

    def work(argument):
        function(argument)

    with opened(flags) as pipeline:
        import apache_beam as beam

        tasks = pipeline | beam.Create(list(arguments)) | beam.Reshuffle()
        _ = tasks | beam.Map(work)


@contextlib.contextmanager
def opened(flags: Sequence[str]) -> Iterator[typing.Any]:
    """Give an empty `apache_beam.Pipeline`, which runs to its end after the block.

    Args:
        flags: As of `run`.

    Yields:
        apache_beam.Pipeline.

    Raises:
        InputError: As of `run`.
    """
    options = _options(flags)
    import apache_beam as beam

    tells = options.view_as(beam.options.pipeline_options.WorkerOptions)
    tells.default_sdk_harness_log_level = tells.default_sdk_harness_log_level or "ERROR"
    try:
        with _deaths_noticed(), beam.Pipeline(options=options) as pipeline:
            yield pipeline
    except (RuntimeError, ValueError) as error:
        if "KeyboardInterrupt" in str(error):  # in a thread of Beam's
            raise KeyboardInterrupt from error
        last = (str(error).strip() or repr(error)).splitlines()[-1]
        raise InputError(
            f"beam: the pipeline failed ({last[:200]}); what is done is kept: run "
            "the same again, or with other flags of Beam's"
        ) from error


def check(flags: Sequence[str]) -> None:
    """Make sure that a pipeline can begin, before long work.

    Args:
        flags: As of `run`.

    Raises:
        InputError: Beam is not installed, or a flag or the runner is unknown.
    """
    options = _options(flags)
    from apache_beam.options.pipeline_options import StandardOptions
    from apache_beam.runners import create_runner

    try:
        create_runner(options.view_as(StandardOptions).runner or "DirectRunner")
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"beam: {error}") from error


@contextlib.contextmanager
def _deaths_noticed():
    """Raise an error when a process on this machine dies: Beam would wait for ever."""
    deaths, usual = [], threading.excepthook
    main = threading.main_thread()

    def look(args):
        if "subprocess exited" not in str(args.exc_value):
            return usual(args)
        deaths.append(str(args.exc_value))
        return signal.pthread_kill(main.ident, signal.SIGUSR1)

    def give_up(*_):
        raise RuntimeError(deaths[0])

    is_posix = hasattr(signal, "SIGUSR1")  # elsewhere Beam waits
    if threading.current_thread() is not main or not is_posix:
        yield
        return
    threading.excepthook = look
    handler = signal.signal(signal.SIGUSR1, give_up)
    try:
        yield
    finally:
        threading.excepthook = usual
        signal.signal(signal.SIGUSR1, handler)


def _options(flags):
    # Importing Beam tells already what it has not found of Google's.
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    logging.getLogger().addFilter(_is_news)
    try:
        from apache_beam.options import pipeline_options
    except ImportError:
        raise InputError(
            "beam: Apache Beam is not installed; pip install -e '.[beam]'"
        ) from None
    for flag in flags:
        if not re.match("--[a-z]", flag):
            raise InputError(
                f"beam: {flag!r} is no flag of Apache Beam; write its flags as on its "
                "own command line, with two dashes"
            )
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            options = pipeline_options.PipelineOptions(flags)
            known = options.get_all_options(drop_default=True)
            given = options.get_all_options(
                drop_default=True, retain_unknown_options=True
            )
    except SystemExit:  # of argparse, after its usage
        reason = said.getvalue().strip().rpartition("error: ")[2]
        raise InputError(f"beam: {reason}") from None
    for name in sorted({*given} - {*known}):
        raise InputError(
            f"beam: Apache Beam knows no flag {name!r}; see its runner's page"
        )
    return options


def _is_news(record):
    """False of what Beam says of unknown flags, which is an error here, and of GCP."""
    text = record.getMessage()
    return not text.startswith(("Discarding unparseable args", "apitools not found"))
