"""The page that `vgan export --format web` makes, in headless Chromium."""

import re
import shutil
import subprocess
import sys
import tarfile

import keras
import numpy as np
import pytest

from tests import chromium
from tests.export import web
from tests.tiny import TINY_PAINTER
from vgan import InputError, pretrained
from vgan.export.run import export
from vgan.export.web import onnxruntime_web
from vgan.export.web.write import PAGE
from vgan.models import Painter
from vgan.runtime import Stylizer
from vgan.runtime.engines import load
from vgan.video import VideoReader
from vgan.video.resizing import resize

SIZE = 48, 64
# Memory is told at once, not after the next cleaning up.
EAGER = "--enable-blink-features=ForceEagerMeasureMemory"

# An adapter that computes on the processor: slow, and the same interface.
SOFTWARE_GPU = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    keras.utils.set_random_seed(1)
    path = tmp_path_factory.mktemp("model") / "generator.keras"
    painter = Painter(**TINY_PAINTER)
    random = np.random.default_rng(0)
    painter.named_styles = {
        name: random.normal(0.5, 0.5, painter.code_size).tolist()
        for name in ("plain", 'with <b>"quotes"</b> & / ')
    }
    painter.save(path)
    return path


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    pytest.importorskip("tf2onnx")
    return exported(model, tmp_path_factory.mktemp("web") / "page")


def exported(model, folder):
    if shutil.which("npm") is None and not onnxruntime_web.VENDORED.is_dir():
        pytest.skip("npm, which fetches onnxruntime-web, is not installed")
    export(model, folder, "web", SIZE)
    return folder


def film(count):
    """Frames of two scenes, half and half, uint8 [count, H, W, 3]."""
    with VideoReader(str(pretrained.PAINTERLY.with_name("sample.mp4"))) as reader:
        frames = [resize(frame, *SIZE) for frame, _ in reader]
    half = count // 2
    return np.stack([*frames[:half], *(255 - np.stack(frames[:half])[:, ::-1])])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ships", "device"), [(None, "wasm"), (None, "webgpu"), ("painterly", "wasm")]
)
def test_a_film_equals_keras(ships, device, model, folder, tmp_path):
    """By the runtime's own Stylizer: scaling of bytes, state and cuts as well."""
    if ships:
        model = pretrained.find(ships)
        folder = exported(model, tmp_path / "page")
    engine = load(model)
    code = np.float32([next(iter(engine.named_styles.values()))])
    frames = film(40 if device == "wasm" else 12)  # the software GPU is slow
    flags = SOFTWARE_GPU if device == "webgpu" else ()
    with chromium.served(folder) as url, chromium.browser(*flags) as page:
        started = web.start(page, url, code, device)
        if started["on"] != device:
            pytest.skip(f"this Chromium has no {device}")
        found = web.paint(page, frames)
    stylizer = Stylizer(engine, code)
    wanted = np.stack([stylizer(frame) for frame in frames])
    if device == "wasm":
        assert started["threads"] > 1  # by sw.js: the host sends no headers
    assert min(web.psnr(*pair) for pair in zip(wanted, found, strict=True)) >= 40
    assert web.psnr(frames, found) < 30  # it does paint


@pytest.mark.slow
def test_memory_is_flat(folder, model):
    code = next(iter(load(model).named_styles.values()))
    frame = web.encoded(film(2)[0])
    memory = "performance.measureUserAgentSpecificMemory().then((all) => all.bytes)"
    with chromium.served(folder) as url, chromium.browser(EAGER) as page:
        web.start(page, url, code)
        page.run(f"paintMany('{frame}', 40)", 300)
        before = page.run(memory)
        # Each that is kept is 12 KiB: of all of them, more than what is allowed.
        page.run(f"paintMany('{frame}', 150)", 300)
        assert page.run(memory) - before < 2**20


@pytest.mark.slow
def test_the_page(folder, tmp_path):
    """Camera and demo, styles, strength, the line, recording, keys and faults."""
    with chromium.served(folder) as url, chromium.browser() as page:
        page.call(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path)
        )
        page.look(1280, 800)
        page.open(url)
        page.wait("document.querySelector('#device')?.value.startsWith('on the')")
        page.run("document.querySelector('#welcome [data-source=camera]').click()")
        page.wait("performance.getEntriesByName('first_painting').length")
        camera = "welcome.hidden && bar.querySelector('[data-source=camera]')"
        assert page.run(f"({camera}).ariaPressed") == "true"
        page.wait("!speed.hidden && /frames/.test(speed.value)")

        # A style by its name, which no markup comes of.
        names = page.run("[...shelf.querySelectorAll('input')].map((one) => one.value)")
        assert names == ["plain", 'with <b>"quotes"</b> & / ']
        assert page.run("shelf.querySelectorAll('b').length") == 0
        page.run("shelf.querySelectorAll('input')[1].click()")
        assert page.run("shelf.querySelectorAll(':checked')[0].value") == names[1]

        # A painting is dropped on the page, then something that is none.
        drop = """(async (name, type, blob) => {
          const files = new DataTransfer();
          files.items.add(new File([blob ?? "nothing"], name, { type }));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: files }));
        })"""
        page.run(f"""(async () => {{
          const canvas = new OffscreenCanvas(100, 70);
          const context = canvas.getContext("2d");
          context.fillStyle = "teal";
          context.fillRect(0, 0, 60, 70);
          await {drop}("my painting.png", "image/png", await canvas.convertToBlob());
        }})()""")
        page.wait("shelf.querySelector(':checked')?.value === 'my painting'")
        page.run(f"{drop}('broken.png', 'image/png')")
        page.wait("/broken.png cannot be read as a picture/.test(message.textContent)")
        assert page.run("shelf.querySelectorAll('input').length") == 3

        # The line, and strength, by keys.
        page.key("c")
        assert page.run("!line.hidden && compare.ariaPressed") == "true"
        page.run("strength.value = 0; strength.dispatchEvent(new Event('input'))")
        assert page.run("percent.value") == "0 %"
        page.run("strength.value = 100; strength.dispatchEvent(new Event('input'))")

        # The demo, recorded.
        page.run("document.querySelector('#bar [data-source=demo]').click()")
        page.wait("video.videoWidth === 640 && !record.disabled")
        page.key("r")
        page.wait("recording.textContent.trim() === '0:02'")
        page.key("r")
        page.wait("recording.hidden")
        recorded = tmp_path / "painted.webm"
        for _ in range(600):
            if recorded.is_file() and recorded.stat().st_size > 1000:
                break
            page.run("new Promise((resolve) => setTimeout(resolve, 100))")
        with VideoReader(str(recorded)) as reader:
            assert next(reader)[0].shape[1] == 1280
        page.key(" ")
        page.wait("video.paused && pause.ariaLabel === 'Play'")
        page.run(f"{drop}('broken.mp4', 'video/mp4')")
        page.wait("/cannot play that film/.test(message.textContent)")
        errors = [text for text in page.messages if re.match("exception|error", text)]
        assert not errors


@pytest.mark.slow
def test_frames_that_stand(folder):
    """As of a phone: they go through a network of W x H."""
    camera = """navigator.mediaDevices.getUserMedia = async () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [72, 128];
      const context = canvas.getContext("2d");
      setInterval(() => context.fillRect(50 * Math.random(), 9, 9, 9), 30);
      return canvas.captureStream();
    }"""
    with chromium.served(folder) as url, chromium.browser() as page:
        page.open(url)
        page.wait("document.querySelector('#device')?.value.startsWith('on the')")
        page.run(camera)
        page.run("document.querySelector('#welcome [data-source=camera]').click()")
        page.wait("performance.getEntriesByName('first_painting').length")
        assert page.run("[canvas.width, canvas.height]") == [960, 1280]


def test_nothing_is_fetched_from_elsewhere():
    for path in PAGE.iterdir():
        if path.suffix in (".html", ".js", ".css"):
            assert not re.search(r"(?<!xmlns=\")https?://", path.read_text()), path


def test_a_page_needs_a_size(model, tmp_path):
    with pytest.raises(InputError, match="size=dynamic: a page paints"):
        export(model, tmp_path / "page", "web")


class TestOnnxruntimeWeb:
    @pytest.fixture(autouse=True)
    def no_files(self, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(onnxruntime_web, "VENDORED", tmp_path / "vendored")
        self.archive = tmp_path / "cache" / "vgan" / onnxruntime_web.ARCHIVE

    def test_another_package_is_refused(self, tmp_path):
        self.archive.parent.mkdir(parents=True)
        with tarfile.open(self.archive, "w:gz"):
            pass
        with pytest.raises(InputError, match="is damaged, or not the onnxruntime-web"):
            onnxruntime_web.copy(tmp_path / "ort")
        assert not (tmp_path / "ort").exists()

    def test_without_npm(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", "")
        with pytest.raises(InputError, match="npm, which could fetch it, is not"):
            onnxruntime_web.copy(tmp_path / "ort")

    def test_npm_fails(self, monkeypatch, tmp_path):
        def run(*_, **__):
            raise subprocess.CalledProcessError(
                1, "npm", stderr="a\nnpm error: offline"
            )

        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.setattr(shutil, "which", lambda _: sys.executable)
        with pytest.raises(InputError, match=r"cannot fetch it \(npm error: offline\)"):
            onnxruntime_web.copy(tmp_path / "ort")

    def test_what_a_wheel_holds_comes_first(self, tmp_path):
        (tmp_path / "vendored").mkdir()
        (tmp_path / "vendored" / "LICENSE.txt").write_text("MIT")
        onnxruntime_web.copy(tmp_path / "ort")
        assert (tmp_path / "ort" / "LICENSE.txt").read_text() == "MIT"
