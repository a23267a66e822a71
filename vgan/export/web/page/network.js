/** A network in a worker of its own; calls are answered in their order. */
export class Network {
  #worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  #calls = new Map();
  #last = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, value, error } }) => {
      const call = this.#calls.get(id);
      this.#calls.delete(id);
      error === undefined ? call.resolve(value) : call.reject(new Error(error));
    };
    this.#worker.onerror = ({ message }) =>
      this.#fail(message || "the worker cannot be started");
  }

  call(method, given = {}, transfer = []) {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#calls.set(id, { resolve, reject });
      this.#worker.postMessage({ id, method, ...given }, transfer);
    });
  }

  close() {
    this.#worker.terminate();
    this.#fail("closed");
  }

  #fail(message) {
    for (const call of this.#calls.values()) call.reject(new Error(message));
    this.#calls.clear();
  }
}

/** What networks are to run on: "webgpu" where there is a real GPU, or "wasm". */
export async function chooseDevice(wanted) {
  if (wanted) return wanted;
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  const isSlow = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter;
  return adapter && !isSlow ? "webgpu" : "wasm";
}

/** Load a network, on WebAssembly where the GPU cannot run it. */
export async function load(file, on, options = {}) {
  const network = new Network();
  try {
    const { threads } = await network.call("load", { file, on, ...options });
    return { network, on, threads };
  } catch (error) {
    network.close();
    if (on === "wasm") throw error;
    console.warn(`${on}: ${error.message}`);
    return load(file, "wasm", options);
  }
}

/** The code of a picture, made beside the painter, which goes on. */
export async function encode(file, styleSize) {
  const bitmap = await fitted(file, styleSize);
  const { network } = await load("style.onnx", "wasm", { threads: 1 });
  try {
    return await network.call("encode", { bitmap }, [bitmap]);
  } finally {
    network.close(); // with its memory
  }
}

/** As vgan does: short side to `size`, the middle of what is longer than 4:1. */
async function fitted(file, size) {
  const picture = await createImageBitmap(file);
  const scale = size / Math.min(picture.width, picture.height);
  const side = (of) => Math.max(16, Math.floor(Math.round(Math.min(of * scale, 4 * size)) / 16) * 16);
  const [width, height] = [side(picture.width), side(picture.height)];
  const [cropWidth, cropHeight] = [width / scale, height / scale];
  const left = Math.max(0, Math.round((picture.width - cropWidth) / 2));
  const top = Math.max(0, Math.round((picture.height - cropHeight) / 2));
  const crop = [left, top, Math.round(cropWidth), Math.round(cropHeight)];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, ...crop, 0, 0, width, height);
  picture.close();
  return canvas.transferToImageBitmap();
}
