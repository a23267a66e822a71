import asyncio
import io
import struct
import sys

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("aiohttp", reason="aiohttp is not installed")

from aiohttp.test_utils import TestClient, TestServer

from vgan.serve import app, guard
from vgan.serve.jobs import Jobs
from vgan.serve.network import Network
from vgan.serve.shelf import Shelf

# In the place of the process that paints: does what the film's bytes say.
WORKER = """
import json, pathlib, sys, time
order = json.loads(sys.stdin.readline())
film = pathlib.Path(order["input"]).read_bytes()
told = {"frames": 1, "total": 4, "seconds": 0.5, "frames_per_second": 2.0}
print(json.dumps(told), file=sys.stderr, flush=True)
if b"slow" in film:
    time.sleep(60)
if b"bad" in film:
    print(f"\\n{order['input']}: is no film", file=sys.stderr)
    sys.exit(2)
if b"crash" in film:
    sys.exit(-9)
pathlib.Path(order["output"]).write_bytes(json.dumps(order).encode())
"""
FILM = b"\0\0\0\x18ftypisom"  # how an MP4 begins


@pytest.fixture(scope="session")
def network(model_path):
    with Network(str(model_path), "keras") as network:
        yield network


@pytest.fixture
def serving(network, tmp_path):
    """Runs a scenario, an async function of a client, against a server of its own."""

    def run(scenario, token=None, max_upload=100_000, max_live=3, worker=WORKER):
        async def main():
            jobs = Jobs(
                tmp_path, network.model, "keras", (sys.executable, "-c", worker)
            )
            door = guard.Guard("127.0.0.1", token)
            shelf = Shelf(network)
            site = app.make_app(
                door, network, shelf, jobs, tmp_path, max_upload, max_live
            )
            async with TestClient(TestServer(site)) as client:
                await scenario(client)
            assert not list(tmp_path.iterdir())  # all files went with the server

        asyncio.run(asyncio.wait_for(main(), 120))

    return run


def picture(height=32, width=48, kind="JPEG", seed=0):
    """Bytes of a picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def frame(number, height=32, width=48, **options):
    """A message of a page."""
    return struct.pack("<I", number) + picture(height, width, **options)
