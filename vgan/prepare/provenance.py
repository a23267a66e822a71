"""A list of where files come from: CSV, by the user."""

import csv
import dataclasses
import os
import pathlib
from collections.abc import Iterable

from vgan import InputError
from vgan.prepare.inputs import Source

SAME = {"licence": "license", "label": "labels", "source": "url", "path": "file"}


class Rows:
    """What a CSV file says of files.

    Columns: `file`, the path of a file below the input, or its name, or its name
    without suffix, such as a YouTube id; optional: license, url (or source), author,
    labels, and start and end, the seconds of a video that are taken. Other columns are
    kept as they are.

    Args:
        path: The CSV file, UTF-8, separated by commas, with a header.

    Attributes:
        unused: Values of `file` for which no file was found, after `joined`.

    Raises:
        InputError: It cannot be read, has no column `file`, or says a file twice.
    """

    def __init__(self, path: str | pathlib.Path) -> None:
        self.path = pathlib.Path(path)
        self.unused = []
        self._rows = self._read()

    def _read(self):
        head = f"provenance={self.path}"
        if not self.path.is_file():
            there = self.path.exists()
            what = "is a folder or a device" if there else "no such file"
            raise InputError(f"{head}: {what}; give a CSV file")
        try:
            with open(self.path, encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, strict=True)
                named = [name.strip() for name in next(reader, [])]
                header = [_column(name) for name in named]
                lines = [(reader.line_num, row) for row in reader if any(row)]
        except UnicodeDecodeError as error:
            raise InputError(f"{head}: is not UTF-8; save it as CSV UTF-8") from error
        except csv.Error as error:
            raise InputError(f"{head}: is no CSV ({error}); save it again") from error
        if "file" not in header:
            raise InputError(
                f"{head}: has no column 'file', but {', '.join(header) or 'nothing'}; "
                "separate columns by commas and name them in the first line"
            )
        for column in sorted(name for name in {*header} if header.count(name) > 1):
            same = [name for name in named if _column(name) == column]
            raise InputError(
                f"{head}: the columns {' and '.join(same)} say the same; leave one out"
            )
        rows = {}
        for number, values in lines:
            if len(values) != len(header):
                raise InputError(
                    f"{head}: line {number} has {len(values)} columns and the first "
                    f"has {len(header)}; put texts with commas into quotes"
                )
            row = dict(zip(header, (value.strip() for value in values), strict=True))
            name = row.pop("file").replace("\\", "/").removeprefix("./")
            if not name:
                raise InputError(
                    f"{head}: line {number} names no file; fill in its column 'file', "
                    "or remove the line"
                )
            if name in rows:
                raise InputError(
                    f"{head}: line {number} names {name!r} again; keep one line of it"
                )
            rows[name] = {column: text for column, text in row.items() if text}
            _check_span(rows[name], f"{head}: line {number}")
        return rows

    def joined(self, sources: Iterable[Source]) -> list[Source]:
        """Return the sources with what the list says of them.

        A path below the input counts before a name, that before a name without suffix,
        and that before a path from here.
        """
        used, joined = set(), []
        places = {os.path.abspath(name): name for name in self._rows}
        for source in sources:
            below = pathlib.PurePosixPath(source.below)
            names = (source.name, source.below, below.name, below.stem)
            known = [name for name in names if name in self._rows]
            known += [places[p] for p in (source.path,) if p in places]
            used |= set(known)
            row = dict(self._rows[known[0]]) if known else {}
            joined.append(
                dataclasses.replace(
                    source,
                    label=row.pop("labels", ""),
                    license=row.pop("license", ""),
                    provenance=row,
                )
            )
        self.unused = [name for name in self._rows if name not in used]
        return joined


def span(provenance: dict[str, str]) -> tuple[float, float]:
    """Return the seconds (start, end) of a video that are taken; end may be inf."""
    return tuple(float(provenance.get(*one)) for one in (("start", 0), ("end", "inf")))


def _check_span(row, where):
    try:
        start, end = span(row)
        good = 0 <= start < end and start < float("inf")
    except ValueError:
        good = False
    if not good:
        raise InputError(
            f"{where}: start={row.get('start', '')} end={row.get('end', '')} are no "
            "seconds of a video; give start below end, or leave them empty"
        )


def _column(name):
    name = name.strip().lower()
    return SAME.get(name, name)
