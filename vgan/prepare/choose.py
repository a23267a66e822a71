"""Which of the clips that were found go into the set."""

import copy
import pathlib
import typing
from collections.abc import Sequence

from vgan.datasets.folders import split_files
from vgan.prepare import signatures
from vgan.prepare.scan import key
from vgan.prepare.settings import Settings


def choose(
    facts: list[dict[str, typing.Any]], settings: Settings
) -> tuple[list[dict[str, typing.Any]], set[str]]:
    """Leave out near-duplicates and what is too much; divide by source.

    A shot that repeats an earlier one is left out: earlier by name and time, files
    with warnings last. Under
    `max_clips` each source may give equally many; one that has fewer gives all, and
    the clips of one source are spread evenly over it.

    Args:
        facts: List of facts as `scan` gives them.
        settings: Settings.

    Returns:
        facts: Copies, sorted by name, whose shots say what is written: "clips",
            "found", "reason" and "duplicate_of"; each source has a "split", which is
            "" if nothing of it is written.
        chosen: Set of keys of clips.
    """
    facts = sorted(copy.deepcopy(facts), key=lambda one: one["source"])
    _leave_out_duplicates(facts)
    starts = [
        [k for shot in one["shots"] for k in shot["clip_starts"] if shot["clips"]]
        for one in facts
    ]
    shares = fair_shares([len(one) for one in starts], settings.max_clips)
    chosen = set()
    for one, ks, share in zip(facts, starts, shares, strict=True):
        kept = {ks[(2 * j + 1) * len(ks) // (2 * share)] for j in range(share)}
        chosen |= {key(one["source"], k) for k in kept}
        for shot in one["shots"]:
            shot["found"] = len(shot["clip_starts"])
            had, count = shot["clips"], len(kept.intersection(shot["clip_starts"]))
            shot["clips"] = count
            if had and not shot["clips"]:
                shot["reason"] = "left out by max_clips"
        one["clips"] = share
    _split(facts, settings)
    return facts, chosen


def fair_shares(counts: Sequence[int], most: int) -> list[int]:
    """Divide `most` (0: no bound) over sources that have `counts`; the first get the
    remainder.
    """
    if not most or sum(counts) <= most:
        return list(counts)
    shares = [0] * len(counts)
    rest = most
    open_ = [i for i, count in enumerate(counts) if count]
    while rest and open_:
        step = max(1, rest // len(open_))
        for i in open_[:rest]:
            given = min(step, counts[i] - shares[i])
            shares[i] += given
            rest -= given
        open_ = [i for i in open_ if shares[i] < counts[i]]
    return shares


def _leave_out_duplicates(facts):
    # Of two copies the whole one stays.
    shots = {
        f"{one['source']}#{number}": shot
        for one in sorted(facts, key=lambda one: bool(one["warnings"]))
        for number, shot in enumerate(one["shots"])
        if shot["clips"]
    }
    entries = [(name, shot["signature"]) for name, shot in shots.items()]
    for name, first in signatures.duplicates(entries).items():
        shots[name].update(duplicate_of=first, clips=0, reason=f"repeats {first}")


def _split(facts, settings):
    """By a hash of the name, so that a source stays on its side in another set."""
    for one in facts:
        one["split"] = ""
    written = [one for one in facts if one["clips"]]
    root = pathlib.PurePosixPath("")
    names = {pathlib.PurePosixPath(one["source"]): one for one in written}
    styles = None
    if settings.role == "style":
        styles = {path: one["label"] or one["source"] for path, one in names.items()}
    divided = split_files(list(names), root, settings.validation, styles)
    for split, paths in zip(("train", "validation"), divided, strict=True):
        for path in paths:
            names[path]["split"] = split
