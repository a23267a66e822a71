import { isolate } from "./isolate.js";
import { chooseDevice, encode, load } from "./network.js";
import { Recorder } from "./recorder.js";
import { Shelf } from "./shelf.js";
import { Source } from "./source.js";
import { Stage } from "./stage.js";

await isolate();

const ui = Object.fromEntries([...document.querySelectorAll("[id]")].map((part) => [part.id, part]));
const wanted = new URLSearchParams(location.search);
const model = await (await fetch("model.json")).json();
const stage = new Stage(ui.canvas);
const source = new Source(ui.video);
const recorder = new Recorder();
const shelf = new Shelf(ui.shelf, model.model.named_styles, wanted.get("style"));
const painted = []; // {time, latency} of the last frames, in milliseconds

let painter = null; // {network, on, threads, turned}, while there is one
let isTurned = null;
let device = wanted.get("device");
let loading = Promise.resolve();

// --- painting

/** Make the painter ready for frames that lie, or that stand. */
function prepare(turned) {
  if (model.size[0] === model.size[1]) turned = false;
  if (turned === isTurned) return;
  isTurned = turned;
  stage.shape(turned ? [...model.size].reverse() : model.size);
  const file = turned ? "step_turned.onnx" : "step.onnx";
  loading = loading.then(async () => {
    painter?.network.close();
    painter = null;
    if (turned !== isTurned) return; // turned back meanwhile
    ui.device.value = "Getting the painter ready…";
    const kept = Object.keys(model.state).map((name) => `new_${name}`);
    painter = { turned, ...(await load(file, await chooseDevice(device), { kept })) };
    ui.device.value = painter.on === "webgpu" ? "on the GPU, by WebGPU"
      : `on the processor, ${painter.threads} thread${painter.threads > 1 ? "s" : ""}`;
  }).catch((error) => say(`The painter cannot be loaded: ${error.message}`));
}

async function paint() {
  for (;;) {
    await source.next();
    const { videoWidth, videoHeight } = ui.video;
    if (!source.kind || !videoWidth) continue;
    prepare(videoHeight > videoWidth !== model.size[0] > model.size[1]);
    const start = performance.now();
    const strength = ui.strength.value / 100;
    const line = ui.line.hidden ? null : ui.line.value / 100;
    const frame = await stage.take(ui.video, source.isMirrored);
    const { network, on, turned } = painter ?? {};
    if (!network || turned !== isTurned || !strength || !shelf.code) {
      if (network) source.onleap(); // what is skipped is not the frame before the next
      frame.close();
      stage.show(null);
      continue;
    }
    try {
      const painting = await network.call("paint", { bitmap: frame, code: shelf.code }, [frame]);
      stage.show(painting, strength, line);
    } catch (error) {
      if (painter?.network !== network) continue; // another took its place
      if (on === "wasm") return say(`The painter stopped: ${error.message}`);
      device = "wasm"; // such as when the GPU was lost
      isTurned = null;
      continue;
    }
    count(start);
  }
}

function count(start) {
  const now = performance.now();
  if (!painted.length) performance.mark("first_painting");
  painted.push({ time: now, latency: now - start });
  while (now - painted[0].time > 3000) painted.shift();
}

setInterval(() => {
  const since = performance.now() - 3000;
  const last = painted.filter(({ time }) => time > since);
  ui.speed.hidden = last.length < 2;
  if (last.length < 2) return;
  const seconds = (last.at(-1).time - last[0].time) / 1000;
  const latency = last.reduce((total, frame) => total + frame.latency, 0) / last.length;
  ui.speed.value = `${((last.length - 1) / seconds).toFixed(1)} frames/s · ${latency.toFixed(0)} ms`;
}, 500);

// --- what is painted

async function open(kind, address) {
  say("");
  try {
    await source.open(kind, address);
    ui.welcome.hidden = true;
  } catch (error) {
    source.close();
    say(kind === "camera"
      ? `The camera cannot be used (${error.message}). Allow it for this page, or open a film.`
      : "This browser cannot play that film; try an MP4 or a WebM.");
  }
  if (!shelf.code) say("Drop a painting to begin: this model knows no style by name.");
  for (const button of ui.bar.querySelectorAll("[data-source]")) {
    button.ariaPressed = button.dataset.source === source.kind;
  }
  ui.turn.hidden = source.kind !== "camera" || (await cameras()) < 2;
  ui.pause.disabled = ui.record.disabled = !source.kind;
  setPaused(!source.kind);
}

async function cameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").length;
}

for (const button of document.querySelectorAll("[data-source]")) {
  const kind = button.dataset.source;
  button.onclick = () =>
    kind === "film" ? ui.pick_film.click() : open(kind, kind === "demo" ? "demo.mp4" : undefined);
}

function take(files) {
  for (const file of files) {
    if (file.type.startsWith("image/")) addPicture(file);
    else if (file.type.startsWith("video/")) open("film", URL.createObjectURL(file));
    else say(`${file.name} is neither a picture nor a film.`);
  }
}

async function addPicture(file) {
  say("");
  const name = file.name.replace(/\.\w+$/, "") || "picture";
  const entry = shelf.add(name, URL.createObjectURL(file));
  try {
    shelf.finish(entry, await encode(file, model.model.style_size));
    repaint();
  } catch (error) {
    shelf.remove(entry);
    say(`${file.name} cannot be read as a picture (${error.message}).`);
  }
}

ui.add.onclick = () => ui.pick_picture.click();
for (const input of [ui.pick_film, ui.pick_picture]) {
  input.onchange = () => {
    take(input.files);
    input.value = "";
  };
}
let inside = 0;
document.ondragenter = () => (ui.drop.hidden = ++inside === 0);
document.ondragleave = () => (ui.drop.hidden = --inside === 0);
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  ui.drop.hidden = true;
  inside = 0;
  take(event.dataTransfer.files);
};
document.onpaste = (event) => take(event.clipboardData.files);

// --- controls

source.onleap = () => painter?.network.call("reset").catch(() => {});
const repaint = () => source.poke();
shelf.onchange = repaint;
ui.line.oninput = repaint;
ui.strength.oninput = () => {
  ui.percent.value = `${ui.strength.value} %`;
  repaint();
};

function setPaused(isPaused) {
  source.pause(isPaused);
  ui.pause.ariaPressed = isPaused;
  ui.pause.ariaLabel = isPaused ? "Play" : "Pause";
  ui.pause.title = `${ui.pause.ariaLabel} (space)`;
  ui.pause.querySelector("use").setAttribute("href", `icons.svg#${isPaused ? "play" : "pause"}`);
}

ui.pause.onclick = () => setPaused(!source.isPaused);
ui.compare.onclick = () => {
  ui.line.hidden = !ui.line.hidden;
  ui.compare.ariaPressed = !ui.line.hidden;
  repaint();
};
ui.turn.onclick = () => {
  source.facing = source.facing === "user" ? "environment" : "user";
  open("camera");
};
ui.full.onclick = () =>
  document.fullscreenElement ? document.exitFullscreen() : ui.stage.requestFullscreen();
ui.record.onclick = async () => {
  if (recorder.isRecording) {
    const blob = await recorder.stop();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `painted.${blob.type.split("/")[1]}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } else {
    recorder.start(ui.canvas);
  }
  const { isRecording } = recorder;
  ui.record.ariaPressed = isRecording;
  ui.record.querySelector("span").textContent = isRecording ? "Stop" : "Record";
  ui.recording.hidden = !isRecording;
  for (let second = 0; recorder.isRecording; second++) {
    const time = `${Math.floor(second / 60)}:${String(second % 60).padStart(2, "0")}`;
    ui.recording.querySelector("span").textContent = time;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
};

ui.full.hidden = !document.fullscreenEnabled;

const keys = { " ": ui.pause, c: ui.compare, f: ui.full, r: ui.record, t: ui.turn };
document.onkeydown = (event) => {
  const isTaken = event.target.closest("button, input[type=file]") && event.key === " ";
  const button = keys[event.key.toLowerCase()];
  if (!button || isTaken || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (!button.hidden) button.click();
};

function say(text) {
  ui.message.textContent = text;
  ui.message.hidden = !text;
}

// --- start: ?source=camera&style=irises&strength=80&clean=1&device=wasm

document.documentElement.classList.toggle("clean", wanted.has("clean"));
if (wanted.has("strength")) ui.strength.value = wanted.get("strength");
ui.percent.value = `${ui.strength.value} %`;
prepare(false);
paint();
const poster = new Image();
poster.onload = async () => {
  if (source.kind) return;
  (await stage.take(poster)).close();
  stage.show(null);
};
poster.src = "poster.jpg";
if (["camera", "demo"].includes(wanted.get("source"))) {
  ui.bar.querySelector(`[data-source=${wanted.get("source")}]`).click();
}
