"""Files that visitors send: to the disk piece by piece, bounded, and of known kinds."""

import asyncio
import contextlib
import pathlib
import secrets
import shutil
from collections.abc import AsyncIterator

import numpy as np
from aiohttp import web
from PIL import Image

from vgan import InputError
from vgan.video import read_image

PICTURE = 25_000_000  # bytes of one, at most
PIXELS = 24_000_000  # of one, at most
FORMATS = ("JPEG", "PNG", "WEBP")  # other decoders are never asked
STALLED = 30  # seconds that a visitor may send nothing


async def receive(
    request: web.Request, path: pathlib.Path, limit: int, kind: str
) -> None:
    """Write the body of a request to a file; nothing stays of one that is refused.

    Args:
        request: Of content type `kind`/..., or application/octet-stream.
        path: To make.
        limit: Most bytes.
        kind: "image" or "video".

    Raises:
        web.HTTPException: 415, it is of another type; 413, it is too large; 507, the
            disk is too full; 408, nothing comes.
        ConnectionError: The visitor is gone.
    """
    if request.content_type.split("/")[0] != kind and (
        request.content_type != "application/octet-stream"
    ):
        raise web.HTTPUnsupportedMediaType(
            reason=f"send the file as {kind}/... or application/octet-stream"
        )
    size = request.content_length
    if size is not None and size > limit:
        raise web.HTTPRequestEntityTooLarge(limit, size, reason=_too_large(limit))
    # A film and its result need about as much, and the system some.
    if shutil.disk_usage(path.parent).free < 3 * (size or limit):
        raise web.HTTPInsufficientStorage(reason="the server's disk is too full")
    written = 0
    try:
        with path.open("xb") as file:
            while True:
                async with asyncio.timeout(STALLED):
                    piece = await request.content.readany()
                if not piece:
                    break
                written += len(piece)
                if written > limit:
                    raise web.HTTPRequestEntityTooLarge(
                        limit, written, reason=_too_large(limit)
                    )
                file.write(piece)
        if size is not None and written != size:
            raise ConnectionResetError("the upload broke off")
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, TimeoutError):
            raise web.HTTPRequestTimeout(reason="nothing came any more") from None
        if isinstance(error, web.RequestPayloadError):
            raise web.HTTPBadRequest(
                reason="what came is not encoded as its headers say"
            ) from None
        raise


@contextlib.asynccontextmanager
async def picture(
    request: web.Request, folder: pathlib.Path
) -> AsyncIterator[tuple[np.ndarray, str]]:
    """Take a picture; its file is gone at the end of the block.

    Yields:
        uint8 RGB [H, W, 3], and its format as Pillow calls it.

    Raises:
        vgan.InputError: It is no JPEG, PNG or WebP, damaged, or of too many pixels.
        web.HTTPException: As `receive`.
    """
    path = folder / f"picture-{secrets.token_hex(8)}"
    try:
        await receive(request, path, PICTURE, "image")
        try:
            yield await asyncio.to_thread(_read, path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), "picture")) from error
    finally:
        path.unlink(missing_ok=True)


def _read(path):
    """The header first: what is small here may be huge once it is unpacked."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            (width, height), kind = image.size, image.format
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("picture: is not a JPEG, PNG or WebP") from error
    if width * height > PIXELS:
        raise InputError(
            f"picture: has {width} x {height} pixels; give one of at most "
            f"{PIXELS // 1_000_000} million"
        )
    return read_image(path), kind


def film_suffix(path: pathlib.Path) -> str:
    """Return ".mp4", ".mkv" or ".avi" by what a file begins with.

    FFmpeg reads play lists too, which may name any file of the disk, or the network's;
    containers of these three kinds hold all that they show.

    Raises:
        vgan.InputError: It is another thing.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return ".mp4"
    if head[:4] == b"\x1aE\xdf\xa3":
        return ".mkv"
    if head[:4] == b"RIFF" and head[8:] == b"AVI ":
        return ".avi"
    raise InputError("film: is not MP4, MOV, WebM, MKV or AVI; give one of these")


def _too_large(limit):
    return f"the file is too large; at most {limit / 1e6:g} MB are taken"
