// The page Film: send one, see how far it is, take it back; also after a reload.

import { Shelf, ask, onDrop, show } from "./shelf.js";

const $ = (id) => document.getElementById(id);
const OURS = "vgan job";
let sending = null;   // XMLHttpRequest of an upload
let watched = null;   // id of the job that is shown
let largest = Infinity;

const shelf = new Shelf(() => {
  $("stage").style.setProperty("--poster", shelf.thumbnail ? `url("${shelf.thumbnail}")` : "none");
});
$("stage").classList.add("waiting");

function say(text) {
  show("message", text);
}

function remember(id) {
  watched = id;
  history.replaceState(null, "", id ? `#${id}` : location.pathname);
  if (id) localStorage.setItem(OURS, id);
  else localStorage.removeItem(OURS);
}

function welcome(text = "") {
  remember(null);
  $("welcome").hidden = false;
  $("job").hidden = true;
  $("result").removeAttribute("src");
  say(text);
}

// What the page shows of a job, or of an upload, which has no result.
function present({ title, state, done, total, fps, message, result }) {
  $("welcome").hidden = true;
  $("job").hidden = false;
  show("title", title);
  const left = total && fps ? Math.max(0, (total - done) / fps) : null;
  show("state", {
    uploading: `Sending, ${Math.round(100 * done / total)} %`,
    waiting: "Waits for its turn",
    painting: done ? `Frame ${done}${total ? ` of ${total}` : ""}${left === null ? "" : `, ${time(left)} left`}` : "Getting ready …",
    done: "Done",
    failed: message,
  }[state]);
  document.title = state === "painting" && total ? `${Math.round(100 * done / total)} % · vgan` : "vgan · film";
  $("progress").hidden = ["done", "failed"].includes(state);
  if (done && total) $("progress").value = Math.min(1, done / total);
  else $("progress").removeAttribute("value");
  const over = ["done", "failed"].includes(state);
  $("cancel").hidden = over;
  $("again").hidden = !over;
  $("download").hidden = $("result").hidden = !result;
  show("note", {
    uploading: "Stay on this page until the film is sent.",
    waiting: "You may close this page and come back to it.",
    painting: "You may close this page and come back to it.",
    done: "The server keeps it for an hour after painting.",
  }[state] ?? "");
  if (result && $("result").getAttribute("src") !== result) {
    $("result").src = result;
    $("download").href = `${result}?download`;
  }
}

function time(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function send(file) {
  if (file.size > largest) {
    say(`The film is too large: the server takes ${Math.floor(largest / 1e6)} MB.`);
    return;
  }
  say("");
  const query = shelf.query();
  query.set("name", file.name);
  const request = sending = new XMLHttpRequest();
  request.open("POST", `/api/jobs?${query}`);
  request.setRequestHeader("Content-Type", file.type.startsWith("video/") ? file.type : "application/octet-stream");
  request.upload.onprogress = ({ loaded, total }) =>
    present({ title: file.name, state: "uploading", done: loaded, total });
  request.onload = () => {
    sending = null;
    let facts = {};
    try {
      facts = JSON.parse(request.response);
    } catch { /* said below */ }
    if (request.status === 201) watch(facts.id);
    else welcome(facts.error ?? `The server answers ${request.status}.`);
  };
  request.onerror = () => { sending = null; welcome("The film did not arrive; try again."); };
  request.onabort = () => { sending = null; welcome(); };
  request.send(file);
  present({ title: file.name, state: "uploading", done: 0, total: file.size });
}

async function watch(id) {
  remember(id);
  while (watched === id) {
    try {
      const answer = await fetch(`/api/jobs/${id}`);
      if (answer.status === 404) return welcome();
      if (answer.ok && watched === id) {
        const facts = await answer.json();
        present(facts);
        say("");
        if (["done", "failed"].includes(facts.state)) return;
      }
    } catch {
      say("The server cannot be reached; trying again …");
    }
    await new Promise((resolve) => { setTimeout(resolve, 700); });
  }
}

async function cancel() {
  if (sending) {
    sending.abort();
    return;
  }
  const id = watched;
  welcome();
  if (id) await fetch(`/api/jobs/${id}`, { method: "DELETE" }).catch(() => {});
}

function take(file) {
  if (!file) return;
  if (file.type.startsWith("image/")) shelf.add(file, say);
  else if (sending || (watched && !$("cancel").hidden)) say("One film at a time; cancel this one first.");
  else send(file);
}

for (const id of ["open", "painting"]) {
  $(id).addEventListener("change", ({ target }) => {
    take(target.files[0]);
    target.value = "";
  });
}
$("cancel").addEventListener("click", cancel);
$("again").addEventListener("click", () => cancel());
onDrop(take);

const known = location.hash.slice(1) || localStorage.getItem(OURS);
if (known) watch(encodeURIComponent(known));
try {
  const health = await (await ask("/api/health")).json();
  largest = health.max_upload;
  show("limit", `Up to ${Math.floor(largest / 1e6)} MB.`);
  await shelf.load();
} catch (error) {
  say(error.message);
}
