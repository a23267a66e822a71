// One network at work beside the page: it paints frames, or makes styles of pictures.
// A message {id, method, ...} is answered by {id, value} or {id, error}.

import { CutDetector } from "./cuts.js";

const MOST_THREADS = 4;
// Of a byte, as vgan's own runtime computes it in float32.
const LEVELS = Float32Array.from({ length: 256 }, (_, byte) =>
  Math.fround(byte * Math.fround(1 / 127.5)) - 1);
const RUNTIMES = { wasm: "wasm-threaded", webgpu: "webgpu-asyncify" };

let ort, session, device, state, surface, frame, image;
const cuts = new CutDetector();

const methods = {
  /** Load a network for "wasm" or "webgpu"; `kept` are outputs that stay there. */
  async load({ file, on, threads, kept = [] }) {
    device = on;
    const weights = get(file); // beside what runs them
    ort = await import(`./ort/${device}.js`);
    const runtime = new URL(`ort/${RUNTIMES[device]}`, import.meta.url).href;
    ort.env.wasm.wasmPaths = { mjs: `${runtime}.js`, wasm: `${runtime}.wasm` };
    ort.env.wasm.numThreads = !crossOriginIsolated ? 1
      : threads ?? Math.min(navigator.hardwareConcurrency, MOST_THREADS);
    ort.env.logLevel = "error";
    session = await ort.InferenceSession.create(await weights, {
      executionProviders: [device],
      preferredOutputLocation: device === "webgpu"
        ? Object.fromEntries(kept.map((name) => [name, "gpu-buffer"])) : undefined,
    });
    methods.reset();
    return { threads: device === "wasm" ? ort.env.wasm.numThreads : 0 };
  },

  /** Forget the frames so far: the state before the first frame is zero. */
  reset() {
    cuts.reset();
    for (const tensor of Object.values(state ?? {})) tensor.dispose();
    state = {};
    for (const { name, shape } of session.inputMetadata) {
      if (["frame", "code", "pictures", "noise"].includes(name)) continue;
      const values = new Float32Array(shape.reduce((one, other) => one * other));
      state[name] = new ort.Tensor("float32", values, shape);
    }
  },

  /** An ImageBitmap and a style code -> the frame painted, as an ImageBitmap. */
  async paint({ bitmap, code }) {
    if (cuts.isCut(bitmap)) methods.reset();
    const shape = [1, bitmap.height, bitmap.width, 3];
    const inputs = {
      frame: new ort.Tensor("float32", pixels(bitmap), shape),
      code: new ort.Tensor("float32", code, [1, code.length]),
      ...state,
    };
    const { stylised, ...outputs } = await session.run(inputs);
    for (const name in state) {
      state[name].dispose();
      state[name] = outputs[`new_${name}`];
    }
    const { data } = stylised;
    const bytes = image.data;
    for (let from = 0, to = 0; from < data.length; to += 4) {
      bytes[to] = data[from++] * 127.5 + 127.5;
      bytes[to + 1] = data[from++] * 127.5 + 127.5;
      bytes[to + 2] = data[from++] * 127.5 + 127.5;
    }
    stylised.dispose();
    return createImageBitmap(image);
  },

  /** An ImageBitmap, its sides multiples of 16 -> the style code of the picture. */
  async encode({ bitmap }) {
    const shape = [1, bitmap.height, bitmap.width, 3];
    const pictures = new ort.Tensor("float32", pixels(bitmap), shape);
    return (await session.run({ pictures })).code.data.slice();
  },
};

async function get(file) {
  const answer = await fetch(new URL(file, import.meta.url));
  if (!answer.ok) throw new Error(`${file}: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Float32Array of R, G, B in [-1, 1], the same at each call. */
function pixels(bitmap) {
  const { width, height } = bitmap;
  if (surface?.canvas.width !== width || surface.canvas.height !== height) {
    const canvas = new OffscreenCanvas(width, height);
    surface = canvas.getContext("2d", { willReadFrequently: true });
    frame = new Float32Array(width * height * 3);
    image = new ImageData(width, height);
    image.data.fill(255);
  }
  surface.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = surface.getImageData(0, 0, width, height);
  for (let from = 0, to = 0; to < frame.length; from += 4) {
    frame[to++] = LEVELS[data[from]];
    frame[to++] = LEVELS[data[from + 1]];
    frame[to++] = LEVELS[data[from + 2]];
  }
  return frame;
}

onmessage = async ({ data: { id, method, ...given } }) => {
  try {
    const value = await methods[method](given);
    postMessage({ id, value }, value instanceof ImageBitmap ? [value] : []);
  } catch (error) {
    postMessage({ id, error: error.message ?? String(error) });
  }
};
