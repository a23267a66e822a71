// The styles to choose among, and how much of them; on both pages.

const REMEMBERED = "vgan paintings";

export class Shelf {
  #cards = new Map();  // id -> {facts, input}

  // changed(choice) is called whenever the choice is another one.
  constructor(changed) {
    this.changed = () => changed(this.choice());
    this.root = document.querySelector("#shelf .cards");
    for (const id of ["strength", "share", "second", "keep"]) {
      this[id] = document.getElementById(id);
      this[id].addEventListener("input", () => this.#update());
    }
    this.root.addEventListener("change", () => this.#update());
  }

  async load(wanted = {}) {
    const styles = await (await ask("/api/styles")).json();
    for (const id of remembered()) {
      const answer = await fetch(`/api/styles/${id}`);
      if (answer.ok) styles.push(await answer.json());
    }
    for (const facts of styles) this.#append(facts);
    const first = this.#cards.get(wanted.style) ?? [...this.#cards.values()][0];
    if (first) first.input.checked = true;
    if (this.#cards.has(wanted.second)) this.second.value = wanted.second;
    if (wanted.strength) this.strength.value = wanted.strength;
    if (wanted.share) this.share.value = wanted.share;
    this.keep.checked = wanted.keep_color === "1";
    this.#update();
  }

  // A painting, a File, becomes a style, and is chosen; say(text) tells how that goes.
  async add(file, say) {
    say("Looking at the painting …");
    try {
      await this.#add(file);
      say("");
    } catch (error) {
      say(error.message);
    }
  }

  async #add(file) {
    const answer = await ask(`/api/styles?name=${encodeURIComponent(title(file.name))}`, {
      method: "POST",
      body: file,
      headers: { "Content-Type": file.type || "application/octet-stream" },
    });
    const facts = await answer.json();
    remember(facts.id);
    this.#append(facts, true);
    this.#cards.get(facts.id).input.checked = true;
    this.#update();
    this.#cards.get(facts.id).input.scrollIntoView?.({ block: "nearest", inline: "center" });
  }

  get style() {
    return this.root.querySelector(":checked")?.value;
  }

  get thumbnail() {
    return this.#cards.get(this.style)?.facts.thumbnail;
  }

  choice() {
    const share = Number(this.share.value);
    const styles = {};
    if (this.style) styles[this.style] = 1;
    if (this.second.value && this.second.value !== this.style) {
      styles[this.style] = 1 - share;
      styles[this.second.value] = share;
    }
    for (const id of Object.keys(styles)) if (!(styles[id] > 0)) delete styles[id];
    return { styles, strength: Number(this.strength.value), keep_color: this.keep.checked };
  }

  // The choice as the address of a request has it.
  query() {
    const { styles, strength, keep_color } = this.choice();
    const query = new URLSearchParams();
    for (const [id, share] of Object.entries(styles)) query.append("style", `${id}:${share}`);
    query.set("strength", strength);
    query.set("keep_color", keep_color ? "1" : "0");
    return query;
  }

  step(by) {
    const inputs = [...this.#cards.values()].map(({ input }) => input);
    if (!inputs.length) return;
    const at = inputs.findIndex((input) => input.checked);
    const next = inputs[(at + by + inputs.length) % inputs.length];
    next.checked = true;
    next.scrollIntoView({ block: "nearest", inline: "center" });
    this.#update();
  }

  stronger(by) {
    this.strength.value = Number(this.strength.value) + by;
    this.#update();
  }

  #append(facts, first = false) {
    const card = document.createElement("label");
    card.className = "card";
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "style", value: facts.id });
    const image = document.createElement("img");
    Object.assign(image, { src: facts.thumbnail, alt: "", width: 384, height: 216 });
    const title = document.createElement("span");
    title.textContent = facts.title;
    card.append(input, image, title);
    this.root[first ? "prepend" : "append"](card);
    const option = new Option(facts.title, facts.id);
    this.second.append(option);
    this.#cards.set(facts.id, { facts, input });
  }

  #update() {
    const blends = Boolean(this.second.value);
    this.share.disabled = !blends;
    show("strength-value", `${Math.round(100 * this.strength.value)} %`);
    show("share-value", blends ? `${Math.round(100 * this.share.value)} %` : "–");
    this.changed();
  }
}

// fetch, whose failures are lines to show.
export async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (answer.ok) return answer;
  const facts = await answer.json().catch(() => ({}));
  throw new Error(facts.error ?? `The server answers ${answer.status}.`);
}

// Files dropped anywhere on the page.
export function onDrop(take) {
  const isFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (on) => document.body.classList.toggle("dragging", on);
  addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark(false);
  });
  addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    mark(false);
    for (const file of event.dataTransfer.files) take(file);
  });
}

export function show(id, text) {
  document.getElementById(id).textContent = text;
}

// What a file is called, as words.
function title(name) {
  return name.replace(/\.\w+$/, "").replace(/[_\s]+/g, " ").trim();
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(REMEMBERED)) ?? [];
  } catch {
    return [];
  }
}

function remember(id) {
  sessionStorage.setItem(REMEMBERED, JSON.stringify([...remembered(), id]));
}
