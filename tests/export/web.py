"""The worker of an exported page, fed frame by frame from Python."""

import base64
import json

import numpy as np

# In any document of the folder; paint() takes and gives base64 of RGBA.
_DRIVER = """
(async () => {
  const { load } = await import("./network.js");
  const model = await (await fetch("model.json")).json();
  const kept = Object.keys(model.state).map((name) => `new_${name}`);
  const [height, width] = model.size;
  const context = new OffscreenCanvas(width, height)
    .getContext("2d", { willReadFrequently: true });
  const { network, on, threads } = await load("step.onnx", DEVICE, { kept });
  const code = Float32Array.from(CODE);
  globalThis.paint = async (text) => {
    const bytes = new Uint8ClampedArray(Uint8Array.fromBase64(text).buffer);
    const bitmap = await createImageBitmap(new ImageData(bytes, width, height));
    const painting = await network.call("paint", { bitmap, code }, [bitmap]);
    context.drawImage(painting, 0, 0);
    painting.close();
    const { data } = context.getImageData(0, 0, width, height);
    return new Uint8Array(data.buffer).toBase64();
  };
  globalThis.paintMany = async (text, many) => {
    const times = [];
    for (let index = 0; index < many; index++) {
      const start = performance.now();
      await paint(text);
      times.push(performance.now() - start);
    }
    return times;
  };
  return { on, threads };
})()
"""


def start(page, url, code, device="wasm"):
    """Load the painter beside no page; return what it runs on, and its threads."""
    page.open(url)  # for the service worker
    page.wait("crossOriginIsolated && document.querySelector('#device')?.value")
    page.open(f"{url}/model.json")
    page.wait("crossOriginIsolated && location.pathname.endsWith('model.json')")
    driver = _DRIVER.replace("DEVICE", json.dumps(device))
    return page.run(driver.replace("CODE", json.dumps(np.ravel(code).tolist())), 300)


def encoded(frame):
    """Base64 of a frame uint8 [H, W, 3], as RGBA."""
    alpha = np.full_like(frame[..., :1], 255)
    return base64.b64encode(np.concatenate([frame, alpha], -1).tobytes()).decode()


def paint(page, frames):
    """Return the frames uint8 [T, H, W, 3] as they are painted in the page."""
    painted = []
    for frame in frames:
        text = page.run(f"paint({json.dumps(encoded(frame))})", 300)
        data = np.frombuffer(base64.b64decode(text), np.uint8)
        painted.append(data.reshape(*frame.shape[:2], 4)[..., :3])
    return np.stack(painted)


def psnr(one, two):
    """Of pictures from 0 to 255, in dB."""
    error = np.mean((np.float64(one) - two) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))
