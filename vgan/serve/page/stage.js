// The picture: painted, with the original left of a line that moves, and full screen.

export class Stage {
  #painted = null;
  #original = null;
  #share = 0.5;

  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.line = root.querySelector("[role=slider]");
    this.context = this.canvas.getContext("2d", { alpha: false });
    new ResizeObserver(() => this.#place()).observe(root);
    this.line.addEventListener("pointerdown", (event) => {
      this.line.setPointerCapture(event.pointerId);
      this.#drag(event);
    });
    this.line.addEventListener("pointermove", (event) => {
      if (this.line.hasPointerCapture(event.pointerId)) this.#drag(event);
    });
    this.line.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, ArrowDown: -0.02, ArrowUp: 0.02,
                     PageDown: -0.2, PageUp: 0.2, Home: -1, End: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.#move(this.#share + step);
    });
  }

  get split() {
    return !this.line.hidden;
  }

  set split(on) {
    this.line.hidden = !on;
    this.#place();
    this.#draw();
  }

  // Draw a painted frame; returns the canvas of the original that is free now.
  show(painted, original) {
    const before = this.#original;
    this.#painted?.close();
    this.#painted = painted;
    this.#original = original;
    if (this.canvas.width !== painted.width || this.canvas.height !== painted.height) {
      this.canvas.width = painted.width;
      this.canvas.height = painted.height;
      this.root.style.setProperty("--ratio", painted.width / painted.height);
      this.#place();
    }
    this.root.classList.remove("waiting");
    this.#draw();
    return before;
  }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  #draw() {
    if (!this.#painted) return;
    const { width, height } = this.canvas;
    this.context.drawImage(this.#painted, 0, 0);
    const left = Math.round(this.#share * width);
    if (!this.split || !left) return;
    this.context.drawImage(this.#original, 0, 0, left, height, 0, 0, left, height);
  }

  // Where the picture lies in the stage, which may be of another shape.
  #frame() {
    const { clientWidth, clientHeight } = this.root;
    const { width, height } = this.canvas;
    const scale = Math.min(clientWidth / width, clientHeight / height);
    return { left: (clientWidth - width * scale) / 2, width: width * scale };
  }

  #drag(event) {
    const { left, width } = this.#frame();
    const x = event.clientX - this.root.getBoundingClientRect().left;
    this.#move((x - left) / width);
  }

  #move(share) {
    this.#share = Math.min(1, Math.max(0, share));
    this.line.setAttribute("aria-valuenow", Math.round(100 * this.#share));
    this.#place();
    this.#draw();
  }

  #place() {
    const { left, width } = this.#frame();
    this.line.style.left = `${left + this.#share * width}px`;
  }
}
