import asyncio
import contextlib
import io
import json
import struct
import threading

import aiohttp
import numpy as np
import pytest
from PIL import Image

from tests.serve.conftest import frame, picture
from vgan.serve import live


async def answer(socket):
    """(number, picture) of the next answer; (number, None) of a complaint."""
    message = await asyncio.wait_for(socket.receive(), 30)
    if message.type == aiohttp.WSMsgType.TEXT:
        facts = json.loads(message.data)
        assert facts["error"]
        return facts["frame"], None
    assert message.type == aiohttp.WSMsgType.BINARY, message
    painted = np.array(Image.open(io.BytesIO(message.data[4:])))
    return struct.unpack_from("<I", message.data)[0], painted


def test_frames_come_back_painted(serving):
    async def scenario(client):
        async with client.ws_connect("/api/live") as socket:
            await socket.send_bytes(frame(7))
            number, painted = await answer(socket)
            assert number == 7
            assert painted.shape == (32, 48, 3)
            await socket.send_json({"styles": {"mosaic": 1}, "strength": 0})
            await socket.send_bytes(frame(8, 32, 48, seed=1))
            number, same = await answer(socket)
            original = np.array(Image.open(io.BytesIO(picture(seed=1)))).astype(int)
            assert number == 8
            assert np.abs(same - original).mean() < np.abs(painted - original).mean()

    serving(scenario)


def test_the_newest_frame_replaces_one_that_waits(serving):
    async def scenario(client):
        async with client.ws_connect("/api/live") as socket:
            for number in range(20):
                await socket.send_bytes(frame(number))
            numbers = []
            while 19 not in numbers:
                numbers.append((await answer(socket))[0])
            assert numbers == sorted(numbers)
            assert len(numbers) < 20

    serving(scenario)


GARBAGE = [
    b"",
    b"abc",
    b"\0\0\0\0" + b"\xff" * 100,
    b"\0\0\0\0" + picture(kind="PNG"),
    b"\0\0\0\0" + picture()[:200],
    frame(0, 8, 8),
    frame(0, 16, 1296),
    "garbage",
    "[]",
    "[" * 3000,
    "x" * 5000,
    '{"styles": {"/etc/passwd": 1}}',
    '{"styles": {"mosaic": -1}}',
    '{"styles": {"mosaic": "1"}}',
    '{"strength": NaN}',
    '{"strength": true}',
    '{"keep_color": 1}',
    '{"else": 1}',
]


def test_garbage_is_told_and_hurts_nobody(serving):
    async def scenario(client):
        async with client.ws_connect("/api/live") as other:
            for message in GARBAGE:
                async with client.ws_connect("/api/live") as socket:
                    text = isinstance(message, str)
                    await (socket.send_str if text else socket.send_bytes)(message)
                    assert (await answer(socket))[1] is None, message[:20]
                    await socket.send_bytes(frame(1))
                    assert (await answer(socket))[0] == 1
            await other.send_bytes(frame(2))
            assert (await answer(other))[0] == 2

    serving(scenario)


def test_a_stream_has_frames_of_one_size(serving):
    async def scenario(client):
        async with client.ws_connect("/api/live") as socket:
            await socket.send_bytes(frame(1))
            await answer(socket)
            await socket.send_bytes(frame(2, 64, 64))
            assert await answer(socket) == (2, None)

    serving(scenario)


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["{}"] * 2 * live.PER_SECOND, aiohttp.WSCloseCode.POLICY_VIOLATION),
        (["x"] * (live.MISTAKES + 5), aiohttp.WSCloseCode.POLICY_VIOLATION),
        (["x" * (live.LARGEST + 1)], aiohttp.WSCloseCode.MESSAGE_TOO_BIG),
    ],
)
def test_floods_are_closed(serving, messages, code):
    async def scenario(client):
        async with client.ws_connect("/api/live") as socket:
            with contextlib.suppress(ConnectionError):
                for message in messages:
                    await socket.send_str(message)
            async for _ in socket:
                pass
            assert socket.close_code == code

    serving(scenario)


def test_fifty_pages_at_once(serving):
    """Those beyond the limit are told so; all threads and sockets go again."""

    async def scenario(client):
        threads = threading.active_count()
        sockets = await asyncio.gather(
            *(client.ws_connect("/api/live") for _ in range(50))
        )
        served, refused = [], []
        for socket in sockets:
            await socket.send_bytes(frame(1))
            message = await asyncio.wait_for(socket.receive(), 30)
            closed = message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            (refused if closed else served).append(socket)
        assert len(served) == 3
        assert len(refused) == 47
        assert {s.close_code for s in refused} == {aiohttp.WSCloseCode.TRY_AGAIN_LATER}
        for socket in sockets:
            await socket.close()
        while (await (await client.get("/api/health")).json())["live"]:
            await asyncio.sleep(0.01)
        assert threading.active_count() <= threads + 1
        async with client.ws_connect("/api/live") as socket:  # there is room again
            await socket.send_bytes(frame(1))
            assert (await answer(socket))[0] == 1

    serving(scenario)


def test_a_page_that_stalls_is_hung_up_and_the_others_go_on(serving, monkeypatch):
    monkeypatch.setattr(live, "STALLED", 0.3)

    async def scenario(client):
        stalled = await client.ws_connect("/api/live")
        await stalled.send_json({"strength": 0})
        large = frame(0, 720, 1280)
        async with client.ws_connect("/api/live") as other:
            with contextlib.suppress(ConnectionError):
                for _ in range(1000):  # it reads nothing of what it gets
                    await stalled.send_bytes(large)
                    await asyncio.sleep(0.02)
                    health = await (await client.get("/api/health")).json()
                    if health["live"] == 1:
                        break
            await other.send_bytes(frame(5))
            assert (await answer(other))[0] == 5
            assert (await (await client.get("/api/health")).json())["live"] == 1

    serving(scenario)


def test_a_server_that_ends_says_goodbye(serving):
    goodbyes = []

    async def scenario(client):
        socket = await client.ws_connect("/api/live")
        await socket.send_bytes(frame(1))
        await answer(socket)
        closing = asyncio.create_task(client.server.close())
        message = await asyncio.wait_for(socket.receive(), 30)
        goodbyes.append((message.type, socket.close_code))
        await closing

    serving(scenario)
    assert goodbyes == [(aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)]
