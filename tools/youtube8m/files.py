"""The files around YouTube-8M: shards, vocabulary, copies of videos, lists of clips."""

import contextlib
import csv
import difflib
import glob
import os
import pathlib
import re

from vgan import InputError
from vgan.datasets.folders import expanded, find_files, is_video
from vgan.files import check_writable, replacing

MOST_LABELS = 4800  # of 2016; 3862 since 2018
COLUMNS = ("file", "labels", "start", "end", "source", "license", "author")
LOOKUP = "http://data.yt8m.org/2/j/i/{}/{}.js"  # {first two characters}/{id}


def find_shards(shards):
    """Return the files of a folder, file, pattern, or list of these: sorted paths.

    Raises:
        InputError: There are none.
    """
    given = [shards] if isinstance(shards, str | os.PathLike) else list(shards)
    found = {}
    for each in given:
        if not str(each):
            raise InputError(
                "--shards: is empty; give a folder of .tfrecord files of YouTube-8M"
            )
        path = expanded(each)
        if path.is_dir():
            files = path.rglob("*.tfrecord")
        elif path.exists():
            files = [path]
        else:
            files = map(pathlib.Path, glob.glob(str(path), recursive=True))
        # A link beside its file would give each video twice.
        files = {file.resolve(): file for file in files if file.is_file()}
        if not files:
            raise InputError(
                f"{each}: no shard there; give a folder of .tfrecord files of "
                "YouTube-8M, or a pattern"
            )
        found |= files
    if not found:
        raise InputError("shards: none are given; give a folder of .tfrecord files")
    return sorted(found.values())


def find_copies(folder):
    """Return {name without suffix: [paths below the folder]} of all its videos.

    Raises:
        InputError: There is no such folder, or no video in it.
    """
    folder = expanded(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder; give that of your copies")
    copies = {}
    with contextlib.suppress(InputError):  # there is none
        for file in filter(is_video, find_files(folder, "content")):
            path = file.relative_to(folder).as_posix()
            copies.setdefault(file.stem, []).append(path)
    if not copies:
        raise InputError(f"{folder}: has no video; give the folder of your copies")
    return copies


def read_vocabulary(path):
    """Read the vocabulary.csv that the project publishes.

    Args:
        path: The file, with the columns Index and Name among others; None for none.

    Returns:
        {number: name}; a label without a name has its number for one.

    Raises:
        InputError: There is no such file, or it is another kind of file.
    """
    if path is None:
        return {}
    names = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {"Index", "Name"}.difference(rows.fieldnames or [])
            if missing:
                raise InputError(
                    f"{path}: has no column {' or '.join(sorted(missing))}; give the "
                    "vocabulary.csv of YouTube-8M"
                )
            for row in rows:
                index, name = row["Index"] or "", " ".join((row["Name"] or "").split())
                if not _is_number(index) or int(index) in names:
                    raise InputError(
                        f"{path}, line {rows.line_num}: Index is {_short(index)}; give "
                        "each label one number"
                    )
                names[int(index)] = name or index
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); give the vocabulary.csv of "
            "YouTube-8M"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is no CSV file in UTF-8 ({error})") from error
    if not names:
        raise InputError(f"{path}: has no labels")
    return names


def find_labels(labels, names):
    """Return the numbers of labels that are given by name, in any case, or number.

    Args:
        labels: List of str or int; None for none.
        names: {number: name} of the vocabulary; empty if there is none.

    Returns:
        Set of int.

    Raises:
        InputError: There is no such label, or a name is that of several.
    """
    if labels is None:
        return set()
    labels = [labels] if isinstance(labels, str | int) else list(labels)
    if not labels:
        raise InputError("--label: none are given; leave it out for all")
    return {_find_label(" ".join(str(label).split()), names) for label in labels}


def _is_number(text):
    return re.fullmatch(r"\d{1,9}", text, re.ASCII) is not None


def _short(text):
    return repr(text if len(text) < 40 else f"{text[:40]}...")


def _find_label(label, names):
    if label.isascii() and label.isdigit():
        if not _is_number(label) or int(label) >= MOST_LABELS:
            raise InputError(
                f"--label: {_short(label)} is no number of a label; those of "
                f"YouTube-8M are below {MOST_LABELS}"
            )
        if names and int(label) not in names:
            raise InputError(
                f"--label: {label} is not in the vocabulary, of {min(names)} to "
                f"{max(names)}"
            )
        return int(label)
    if not names:
        raise InputError(
            f"--label: {label!r} is a name; give the vocabulary.csv of YouTube-8M too, "
            "or a number"
        )
    same = [n for n, name in names.items() if name.casefold() == label.casefold()]
    same = [n for n in same if names[n] == label] or same
    if len(same) > 1:
        numbers = " and ".join(map(str, same))
        raise InputError(
            f"--label: {label!r} is the name of {numbers}; give the number"
        )
    if not same:
        known = {name.casefold(): name for name in names.values()}
        near = difflib.get_close_matches(label.casefold(), known, n=1, cutoff=0)
        raise InputError(
            f"--label: {label!r} is not in the vocabulary; the nearest is "
            f"{known[near[0]]!r}"
        )
    return same[0]


def check_output(path):
    """Make sure that a list can be written there, before long work.

    Raises:
        InputError: It is no .csv file, or cannot be written.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() != ".csv" or path.is_dir():
        raise InputError(f"{path}: give the list a name that ends in .csv")
    advice = "give a .csv file in a folder that is there, such as list.csv"
    check_writable(path.resolve().parent, path, advice)


def write(path, rows, names):
    """Write a list for `vgan.prepare --provenance`, whole or not at all.

    Args:
        path: The .csv file.
        rows: Iterable of (file, choosing.Clip).
        names: {number: name} of labels; others are written as numbers.
    """
    with (
        replacing(pathlib.Path(path).resolve()) as partial,
        open(partial, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for name, clip in rows:
            labels = ";".join(names.get(n, str(n)) for n in clip.labels)
            writer.writerow(
                (name, labels, clip.start, clip.end, source(clip.id), "", "")
            )


def source(name):
    """Where to look up which video an id stands for; "" for ids of another form."""
    known = re.fullmatch(r"[\w-]{4}", name, re.ASCII)
    return LOOKUP.format(name[:2], name) if known else ""
