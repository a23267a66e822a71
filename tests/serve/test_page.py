"""The real page in headless Chromium: what a visitor does, and what is seen."""

import asyncio
import contextlib
import io
import pathlib
import sys

import numpy as np
import pytest
from PIL import Image

from tests.serve import chromium
from vgan.video import VideoReader, VideoWriter

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PATH is None, reason="Chromium is not installed"),
]
SAMPLE = pathlib.Path(__file__).parents[2] / "vgan" / "pretrained" / "sample.mp4"
MEAN = """
  const {width, height} = stage.querySelector('canvas');
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  context.drawImage(stage.querySelector('canvas'), 0, 0);
  const {data} = context.getImageData(X, 0, 1, height);
  const sums = [0, 0, 0];
  data.forEach((value, index) => { if (index % 4 < 3) sums[index % 4] += value; });
  return sums.map((sum) => sum / height);
"""


@contextlib.asynccontextmanager
async def server(model, *flags):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vgan.serve", f"--model={model}", "--port=0", *flags),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 300)
        yield line.split()[0].decode()
    finally:
        process.terminate()
        await process.wait()


async def mean(page, x):
    """Mean color [R, G, B] of a column of the picture."""
    found = await page.run(MEAN.replace("X", str(x)))
    return np.array(found)


def flat_film(path, color, frames=24):
    """A film of one color, as the fake camera's MJPEG."""
    file = io.BytesIO()
    Image.new("RGB", (640, 360), color).save(file, "JPEG", quality=95)
    path.write_bytes(file.getvalue() * frames)


def film_with_sound(path):
    """Half a second of the sample, with a tone."""
    import av

    with VideoReader(SAMPLE, size=(90, 160)) as reader:
        silent = path.with_name("silent.mp4")
        with VideoWriter(silent, like=reader) as writer:
            for index, (frame, timestamp) in enumerate(reader):
                if index < 12:
                    writer.write(frame, timestamp)
    with av.open(str(silent)) as source, av.open(str(path), "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        audio = target.add_stream("aac", rate=48000, layout="mono")
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                target.mux(packet)
        tone = np.sin(np.arange(24000) / 48000 * 2 * np.pi * 440).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(tone[None] * 0.5, "fltp", "mono")
        frame.sample_rate = 48000
        for packet in [*audio.encode(frame), *audio.encode(None)]:
            target.mux(packet)


def test_a_visit(model_path, tmp_path):
    """Camera, style by click and by drop, split, record, keys, film with sound."""
    camera, painting = tmp_path / "camera.mjpeg", tmp_path / "blue.png"
    flat_film(camera, (200, 60, 60))
    Image.new("RGB", (300, 200), (20, 40, 220)).save(painting)
    film, saved = tmp_path / "film.mp4", tmp_path / "saved"
    film_with_sound(film)
    saved.mkdir()

    async def visit():
        async with (
            server(model_path, "--engine=keras") as address,
            chromium.browser(
                f"--use-file-for-fake-video-capture={camera}", downloads=saved
            ) as page,
        ):
            await page.shape(1280, 800)
            await page.go(address)
            await page.until("document.querySelector('.card :checked')")
            await live(page)
            await page.go(f"{address}?source=camera&clean=1&strength=0")
            await clean(page)
            await page.go(f"{address}film")
            await page.until("document.querySelector('.card :checked')")
            await job(page)
            assert not page.said

    async def live(page):
        await page.run(
            "document.querySelector('#welcome [data-source=camera]').click()"
        )
        await page.until("!stage.classList.contains('waiting')", 120)
        await page.run("strength.value = 0; strength.dispatchEvent(new Event('input'))")
        for _ in range(100):  # the frame itself comes back
            await asyncio.sleep(0.1)
            red = await mean(page, 200)
            if np.abs(red - [200, 60, 60]).max() < 20:
                break
        else:
            raise AssertionError(red)
        await page.press("+")
        assert await page.run("return strength.value") == "0.1"
        await page.run("strength.value = 1; strength.dispatchEvent(new Event('input'))")
        await page.drop(painting)
        await page.until("document.querySelectorAll('.card').length === 2")
        title = "document.querySelector('.card:has(:checked) span').textContent"
        assert await page.run(f"return {title}") == "blue"
        await page.press("n")  # and by key and click
        assert await page.run(f"return {title}") == "mosaic"
        await page.run("document.querySelector('.card input').click()")
        assert await page.run(f"return {title}") == "blue"
        await page.press("s")
        line = "document.getElementById('line')"
        assert await page.run(f"return {line}.getAttribute('aria-valuenow')") == "50"
        await page.run(
            f"{line}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'PageUp'}}))"
        )
        assert await page.run(f"return {line}.getAttribute('aria-valuenow')") == "70"
        await asyncio.sleep(1)
        left, right = await mean(page, 5), await mean(page, 440)
        assert np.abs(left - [200, 60, 60]).max() < 20
        assert np.abs(right - left).max() > 20
        await page.press("r")
        await asyncio.sleep(2)
        await page.press("r")
        for _ in range(100):
            await asyncio.sleep(0.1)
            if list(saved.glob("vgan-*.webm")):
                break
        (recorded,) = saved.glob("vgan-*.webm")
        with VideoReader(recorded) as reader:
            assert (reader.width, reader.height) == (456, 256)
            assert sum(1 for _ in reader) > 2
        await page.until("parseFloat(document.getElementById('fps').textContent) > 0")
        await page.shape(390, 844)
        width = "document.documentElement.scrollWidth"
        assert await page.run(f"return {width}") == 390  # nothing sticks out

    async def clean(page):
        await page.shape(1280, 720)
        await page.until("!stage.classList.contains('waiting')", 120)
        box = await page.run(
            "const {width, height} = "
            "stage.getBoundingClientRect(); return [width, height]"
        )
        assert box == [1280, 720]
        shown = "getComputedStyle(document.querySelector('aside')).display"
        assert await page.run(f"return {shown}") == "none"

    async def job(page):
        await page.drop(film)
        await page.until("location.hash.length > 10")
        await page.send("Page.reload")  # and it is still there
        await page.until("document.getElementById('title')?.textContent === 'film.mp4'")
        await page.until("document.getElementById('state').textContent === 'Done'", 180)
        facts = "await (await fetch('/api/jobs/' + location.hash.slice(1))).json()"
        assert await page.run(f"return ({facts}).total") == 12  # as its worker said
        await page.run("document.getElementById('download').click()")
        path = saved / "film_painted.mp4"
        for _ in range(100):
            await asyncio.sleep(0.1)
            if path.exists():
                break
        with VideoReader(path) as reader:
            assert reader.has_sound
            assert (reader.width, reader.height) == (160, 90)
            assert sum(1 for _ in reader) == 12
        await page.run("document.getElementById('again').click()")
        await page.until("!document.getElementById('welcome').hidden")
        assert await page.run("return location.hash") == ""

    asyncio.run(asyncio.wait_for(visit(), 600))
