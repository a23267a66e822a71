"""Scanning on Apache Beam's workers, here or on a cluster.

Every worker sees the inputs and the output under the same paths: they are on one
machine, or on a shared file system.
"""

import functools
import logging
import pathlib
import typing
from collections.abc import Callable, Sequence

from vgan import pipelines
from vgan.prepare.inputs import Source
from vgan.prepare.scan import scan
from vgan.prepare.settings import Settings


def scan_all(
    sources: Sequence[Source],
    settings: Settings,
    folder: pathlib.Path,
    options: list[str],
    tell: Callable[[Source, float, int], object],
) -> list[dict[str, typing.Any]]:
    """Scan all sources; each is a task of a worker.

    Args:
        sources: List of Source.
        settings: Settings.
        folder: Folder of the parts.
        options: Beam's own flags, a list of texts.
        tell: Called with (source, 1, clips of it) at the end.

    Returns:
        List of facts, in the order of `sources`.

    Raises:
        InputError: Beam is not installed, or the pipeline failed. What is done is kept.
    """
    task = functools.partial(_scan, settings=settings, folder=str(folder))
    pipelines.run(task, sources, options)
    facts = []
    for source in sources:  # nothing is read again, but facts
        facts.append(scan(source, settings, folder))
        tell(source, 1, facts[-1]["clips"])
    return facts


def _scan(source, settings, folder):
    # Warnings are facts: what Beam sets for its own lines must not drop them.
    logging.getLogger("vgan").setLevel(logging.WARNING)
    scan(source, settings, folder)
