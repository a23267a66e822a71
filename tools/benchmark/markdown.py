"""A marked block of a Markdown page."""

import pathlib

from vgan import InputError, files


def write(path, text):
    """Write a text, whole or not at all; a link stays one."""
    files.write_text(pathlib.Path(path).resolve(), text)


def with_block(path, name, block):
    """Return the text of a Markdown file with the block of that name renewed.

    A block lies between the lines <!-- name --> and <!-- /name -->; all else stays as
    it is. A file without the block gets it at its end; no file counts as an empty one.

    Args:
        path: The file.
        name: Of the block.
        block: Its new text.

    Raises:
        InputError: The file is no text, or its marks do not make one block.
    """
    path = pathlib.Path(path)
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    try:
        text = path.read_bytes().decode() if path.exists() else ""
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no UTF-8 text") from error
    block = f"{first}\n{block.strip()}\n{last}"
    if first not in text and last not in text:
        return f"{text.rstrip()}\n\n{block}\n".lstrip()
    before, _, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not end or text.count(first) > 1 or text.count(last) > 1:
        raise InputError(
            f"{path}: needs {first} once, and {last} once below it; fix them, or "
            "remove both"
        )
    return before + block + after
