// The page Live: what its buttons, keys and address do.

import { Recorder } from "./recorder.js";
import { Shelf, onDrop, show } from "./shelf.js";
import { Source } from "./source.js";
import { Stage } from "./stage.js";
import { Stream } from "./stream.js";

const $ = (id) => document.getElementById(id);
const address = new URLSearchParams(location.search);
const clean = address.get("clean") === "1";
document.body.classList.toggle("clean", clean);

const video = document.createElement("video");
video.className = "unseen";
video.tabIndex = -1;
video.setAttribute("aria-hidden", "true");
$("stage").append(video);
$("stage").classList.add("waiting");

const stage = new Stage($("stage"));
const source = new Source(video);
const recorder = new Recorder(stage.canvas, video);
const stream = new Stream(video, (...frames) => stage.show(...frames), say);
const shelf = new Shelf((choice) => {
  stream.choose(choice);
  $("stage").style.setProperty("--poster", shelf.thumbnail ? `url("${shelf.thumbnail}")` : "none");
});

function say(text) {
  if ($("message").textContent !== text) show("message", text);
}

async function play(kind, file) {
  say("");
  try {
    stream.mirror = kind === "camera" && $("mirror").checked;
    stream.active = true;
    await (kind === "file" ? source.file(file) : source[kind](stream.detail));
  } catch (error) {
    say(error.message);
    return;
  }
  stream.start();
  $("welcome").hidden = true;
  $("figures").hidden = clean;
  stage.canvas.dataset.source = kind;
  for (const button of document.querySelectorAll("#tools [data-source]")) {
    button.setAttribute("aria-pressed", button.dataset.source === kind);
  }
}

function take(file) {
  if (file?.type.startsWith("image/")) shelf.add(file, say);
  else if (file) play("file", file);
}

function split() {
  stage.split = !stage.split;
  $("split").setAttribute("aria-pressed", stage.split);
}

function record() {
  try {
    if (recorder.active) recorder.stop();
    else if (video.readyState) recorder.start();
    else say("Choose the camera or a film first.");
  } catch (error) {
    say(error.message);
  }
  $("record").setAttribute("aria-pressed", recorder.active);
  $("recording").hidden = !recorder.active;
  figures();
}

function figures() {
  const { fps, latency, dropped } = stream.figures() ?? {};
  show("fps", fps === undefined ? "–" : fps.toFixed(fps < 10 ? 1 : 0));
  show("latency", latency === undefined ? "–" : `${Math.round(latency)} ms`);
  show("dropped", dropped === undefined ? "–" : `${Math.round(100 * dropped)} %`);
  show("recorded", `${Math.floor(recorder.seconds / 60)}:${String(recorder.seconds % 60).padStart(2, "0")}`);
}
setInterval(figures, 500);

for (const button of document.querySelectorAll("[data-source]")) {
  button.addEventListener("click", () => play(button.dataset.source));
}
$("split").addEventListener("click", split);
$("record").addEventListener("click", record);
$("full").addEventListener("click", () => stage.toggleFullScreen());
$("help").addEventListener("click", () => $("keys").showModal());
for (const id of ["open", "painting"]) {
  $(id).addEventListener("change", ({ target }) => {
    take(target.files[0]);
    target.value = "";
  });
}
$("detail").addEventListener("change", () => {
  stream.detail = Number($("detail").value);
  source.resize(stream.detail);
});
$("mirror").addEventListener("change", () => {
  stream.mirror = Boolean(video.srcObject) && $("mirror").checked;
});
onDrop(take);

const KEYS = {
  c: () => play("camera"),
  d: () => play("demo"),
  o: () => $("open").click(),
  n: () => shelf.step(1),
  p: () => shelf.step(-1),
  "+": () => shelf.stronger(0.1),
  "=": () => shelf.stronger(0.1),
  "-": () => shelf.stronger(-0.1),
  s: split,
  r: record,
  f: () => stage.toggleFullScreen(),
  " ": () => (video.paused ? video.play() : video.pause()),
  "?": () => $("keys").showModal(),
};
addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  if (target.matches("select")) return;
  if (event.key === " " && target.matches("button, input, [role=slider]")) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const detail = address.get("detail");
if ([...$("detail").options].some(({ value }) => value === detail)) $("detail").value = detail;
stream.detail = Number($("detail").value);
if (clean || address.has("mirror")) $("mirror").checked = address.get("mirror") === "1";
try {
  await shelf.load(Object.fromEntries(address));
} catch (error) {
  say(error.message);
}
if (["camera", "demo"].includes(address.get("source"))) play(address.get("source"));
