"""What in the folder of a set was made here: all else is never removed or replaced."""

import contextlib
import pathlib
import re
import shutil
import typing

from vgan import InputError, files
from vgan.prepare import clip_archive

PARTS, STATE = ".parts", "state.json"
SETS, BUILDING = "video_clips", ".building"
REPORTS = ("report.json", "report.html")
MARK = {"made_by": "vgan.prepare"}  # in STATE
_PARTIAL = rf"({re.escape(files.PARTIAL)}[0-9a-f]+_)?"
_OF_PARTS = re.compile(rf"{_PARTIAL}([0-9a-f]{{24}}\.(zip|json)|state\.json)")
_OF_SET = re.compile(
    rf"{_PARTIAL}(video_clips-.*record-.*|(features|dataset_info)\.json).*"
)


def read_state(output: pathlib.Path) -> dict[str, typing.Any]:
    """Return what STATE holds, with a dict "settings"; {} if none, or a damaged one."""
    path = output / PARTS / STATE
    state = None if path.is_dir() else clip_archive.read_json(path)
    if not isinstance(state, dict) or not isinstance(state.get("settings"), dict):
        return {}
    named = re.fullmatch(r"[\w-][\w.-]*", str(state.get("name", "unnamed")))
    return state if named and MARK.items() <= state.items() else {}


def refuse_others(output: pathlib.Path, state: dict[str, typing.Any]) -> None:
    """Make sure that nothing of the user's would be removed or replaced.

    Raises:
        InputError: It would.
    """
    if not output.is_dir():
        return
    inside = [path.name for path in _of(output / PARTS)]
    names = {PARTS, SETS, BUILDING, files.LOCK, *REPORTS}
    if not state and not (
        all(map(_OF_PARTS.fullmatch, inside))
        and all(
            path.name in names or path.name.startswith(files.PARTIAL)
            for path in _of(output)
        )
        and ((output / PARTS).is_dir() or not any(output.iterdir()))
    ):
        raise InputError(
            f"output={output}: is a folder of something else; give a new one"
        )
    others = [
        *(path for path in _of(output / PARTS) if path.is_dir()),
        *(output / name for name in REPORTS if (output / name).is_dir()),
        *(path for path in output.glob(f"{SETS}/*/*/*") if not _is_of_set(path)),
        *(
            path
            for path in (output / BUILDING).rglob("*")
            if not path.is_dir() and not _is_of_set(path)
        ),
    ]
    if others:
        raise InputError(
            f"output={output}: {others[0].relative_to(output)} was not made by "
            "vgan.prepare; move it elsewhere, or give another output"
        )


def clear(folder: pathlib.Path, start: str = "") -> None:
    """Remove from the folder of parts what was made here, of those that begin so."""
    for path in _of(folder):
        if _OF_PARTS.fullmatch(path.name) and path.name.startswith(start):
            path.unlink()


def finished(output: pathlib.Path, name: str) -> dict[str, int]:
    """Return {file: bytes} of the set of that name and of the report."""
    files = [output / report for report in REPORTS]
    files += output.glob(f"{SETS}/{name}/*/*")
    return {
        path.relative_to(output).as_posix(): path.stat().st_size
        for path in sorted(files)
        if path.is_file()
    }


def remove_set(output: pathlib.Path, name: str) -> None:
    """Remove a set that was made under an earlier name of the folder."""
    for version in _of(output / SETS / name):
        if version.is_dir():
            shutil.rmtree(version)
    with contextlib.suppress(OSError):  # there is none, or the user's files are in it
        (output / SETS / name).rmdir()


def _of(folder):
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_of_set(path):
    return path.is_file() and bool(_OF_SET.fullmatch(path.name))
