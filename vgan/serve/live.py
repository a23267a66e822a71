"""One page's stream: frames in, painted frames out, over one websocket.

A message of the page is a frame, 4 bytes of a number that grows (uint32, little-endian)
and a JPEG; or a choice, a text of JSON, see `choice.from_message`. An answer is a frame
in the same form; it tells that all frames of lower numbers are done with, as the newest
replaces one that waits. `{"error": "...", "frame": number}` stands for a frame, or a
choice, that cannot be used.
"""

import asyncio
import contextlib
import io
import json
import logging
import struct

import cv2
import numpy as np
from aiohttp import WSCloseCode, WSMsgType, web
from PIL import Image

from vgan import InputError
from vgan.runtime import Stylizer, compose
from vgan.serve import choice
from vgan.serve.guard import Bucket
from vgan.serve.network import BusyError, Network
from vgan.serve.shelf import Shelf, encode_jpeg

LARGEST = 2_000_000  # bytes of a message
LONGEST_TEXT = 4000
SIDES = (16, 1280)  # pixels, of a frame
PIXELS = 1280 * 720
PER_SECOND = 120  # messages
MISTAKES = 20  # messages that cannot be used, until the stream is closed
STALLED = 10  # seconds that a page may leave its frames unread
_NUMBER = struct.Struct("<I")
_log = logging.getLogger("vgan")


class Live:
    """All streams of one server.

    Args:
        network: What paints.
        shelf: The styles.
        most: Streams at once; others are sent away politely.

    Attributes:
        sockets: Those that are open.
    """

    def __init__(self, network: Network, shelf: Shelf, most: int):
        self._network, self._shelf, self._most = network, shelf, most
        self.sockets = set()

    async def __call__(self, request: web.Request) -> web.WebSocketResponse:
        """Answer a page that asks for a stream."""
        socket = web.WebSocketResponse(
            max_msg_size=LARGEST, heartbeat=20, compress=False, timeout=2
        )
        await socket.prepare(request)
        if len(self.sockets) >= self._most:
            reason = f"{self._most} pages are being painted already; wait"
            await socket.close(
                code=WSCloseCode.TRY_AGAIN_LATER, message=reason.encode()
            )
            return socket
        self.sockets.add(socket)
        stream = Stream(socket, request.transport, self._network, self._shelf)
        try:
            await stream.run()
        finally:
            self.sockets.discard(socket)
        return socket

    async def close(self) -> None:
        """Say goodbye to all."""
        for socket in list(self.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server ends")


class Stream:
    """One page's; frames are of one size, that of the first."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport,
        network: Network,
        shelf: Shelf,
    ):
        self._socket, self._transport = socket, transport
        self._network, self._shelf = network, shelf
        self._choice = choice.Choice()
        self._newest, self._arrived = None, asyncio.Event()
        self._stylizer = self._size = None
        self._mistakes = 0

    async def run(self) -> None:
        """Take messages until the page leaves; paint beside it."""
        painting = asyncio.create_task(self._paint_all())
        bucket = Bucket(PER_SECOND)
        try:
            async for message in self._socket:
                if not bucket.take() or self._mistakes > MISTAKES:
                    await self._socket.close(
                        code=WSCloseCode.POLICY_VIOLATION,
                        message=b"too many messages, or too many that make no sense",
                    )
                elif message.type == WSMsgType.BINARY:
                    self._newest = message.data
                    self._arrived.set()
                elif message.type == WSMsgType.TEXT:
                    await self._choose(message.data)
        finally:
            painting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await painting

    async def _choose(self, text):
        try:
            if len(text) > LONGEST_TEXT:
                raise InputError("choice: is too long")
            message = json.loads(text)
            self._choice = choice.from_message(message, self._shelf.known)
        except (ValueError, RecursionError) as error:  # an InputError is one
            known = isinstance(error, InputError)
            await self._complain(str(error) if known else "choice: is not valid JSON")

    async def _paint_all(self):
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            data = self._newest
            number = _NUMBER.unpack_from(data)[0] if len(data) > _NUMBER.size else None
            try:
                painted = await self._network.run(self._paint, data, self._choice)
            except InputError as error:
                await self._complain(str(error), number)
            except BusyError:
                await self._complain("the server is busy", number)
            except Exception:
                _log.exception("a frame of a page")
                await self._complain("the server made a mistake, see its log", number)
            else:
                await self._send(self._socket.send_bytes, painted)

    def _paint(self, data, chosen):
        """In the network's thread: message -> message."""
        if len(data) <= _NUMBER.size:
            raise InputError("frame: is too short; give a number and a JPEG")
        frame = decode_jpeg(data[_NUMBER.size :])
        size = frame.shape[:2]
        code = self._shelf.code(chosen)
        if self._stylizer is None:
            self._size = size
            self._stylizer = Stylizer(self._network.engine(*size), code)
        if size != self._size:
            height, width = self._size
            raise InputError(
                f"frame: is {size[1]} x {size[0]}, and the first was {width} x "
                f"{height}; open another stream for another size"
            )
        self._stylizer.style_code, self._stylizer.strength = code, chosen.strength
        painted = self._stylizer(frame)
        if chosen.keep_color:
            painted = compose.keep_color(painted, frame)
        return data[: _NUMBER.size] + encode_jpeg(painted)

    async def _complain(self, message, number=None):
        self._mistakes += 1
        text = json.dumps({"error": message, "frame": number})
        await self._send(self._socket.send_str, text)

    async def _send(self, send, data):
        """Send, unless the page is gone; hang up on one that does not read."""
        try:
            async with asyncio.timeout(STALLED):
                await send(data)
        except TimeoutError:
            if self._transport is not None:
                self._transport.abort()
        except (ConnectionError, RuntimeError):  # the socket is closing
            pass


def decode_jpeg(data: bytes) -> np.ndarray:
    """Return a JPEG as uint8 RGB [H, W, 3]; its size is read before its pixels.

    Raises:
        vgan.InputError: It is none, is damaged, or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            width, height = image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("frame: is not a JPEG") from error
    low, high = SIDES
    if not low <= min(width, height) <= max(width, height) <= high or (
        width * height > PIXELS
    ):
        raise InputError(
            f"frame: is {width} x {height}; sides must be {low} to {high} pixels, and "
            f"a frame at most as large as 1280 x 720"
        )
    how = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if frame is None or frame.shape[:2] != (height, width):
        raise InputError("frame: is a damaged JPEG")
    return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
