/** The styles to choose from: those of the model, and pictures of the user's. */
export class Shelf {
  #element;
  #codes = new Map();
  #last = null; // the entry that is painted in, while another gets ready
  onchange = () => {};

  /**
   * @param {HTMLElement} element - Its first child stays first.
   * @param {Object} styles - {name: numbers}, in the order of their pictures.
   * @param {string | null} chosen - The name to begin with.
   */
  constructor(element, styles, chosen) {
    this.#element = element;
    const names = Object.keys(styles);
    names.forEach((name, index) => {
      const entry = this.#make(name, `styles/${index}.jpg`);
      element.append(entry);
      this.#codes.set(entry, Float32Array.from(styles[name]));
      if (name === chosen || index === 0) this.#choose(entry);
    });
    element.onchange = ({ target }) => this.#choose(target.closest("label"));
  }

  /** Of the chosen style. */
  get code() {
    return this.#codes.get(this.#last);
  }

  /** Put a picture on the shelf, whose code is still being made. */
  add(name, address) {
    const entry = this.#make(name, address);
    this.#element.firstElementChild.after(entry);
    entry.classList.add("busy");
    return entry;
  }

  finish(entry, code) {
    this.#codes.set(entry, code);
    entry.classList.remove("busy");
    this.#choose(entry);
  }

  remove(entry) {
    entry.remove();
  }

  #choose(entry) {
    if (!this.#codes.has(entry)) return;
    entry.querySelector("input").checked = true;
    this.#last = entry;
    this.onchange();
  }

  #make(name, address) {
    const entry = document.createElement("label");
    const [input, image, text] = ["input", "img", "span"].map((tag) => document.createElement(tag));
    input.type = "radio";
    input.name = "style";
    input.value = name;
    image.src = address;
    image.alt = "";
    text.textContent = entry.title = name.replaceAll("_", " ");
    entry.append(input, image, text);
    return entry;
  }
}
