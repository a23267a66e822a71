const LARGEST = 1280; // long side of what is shown and recorded, in pixels

/** The canvas that shows film and painting. */
export class Stage {
  #canvas;
  #context;
  #film = new OffscreenCanvas(1, 1);
  #filmContext = this.#film.getContext("2d", { alpha: false });
  #size;

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  /** Take the shape of frames that the network takes, [height, width]. */
  shape([height, width]) {
    this.#size = { width, height };
    const scale = LARGEST / Math.max(height, width);
    for (const canvas of [this.#canvas, this.#film]) {
      // Even, as video wants it.
      canvas.width = Math.round((width * scale) / 2) * 2;
      canvas.height = Math.round((height * scale) / 2) * 2;
    }
    this.#context.imageSmoothingQuality = this.#filmContext.imageSmoothingQuality = "high";
  }

  /** Take the middle of a frame, and return it in the network's size. */
  async take(frame, isMirrored) {
    const [fullWidth, fullHeight] = [frame.videoWidth ?? frame.width, frame.videoHeight ?? frame.height];
    const { width, height } = this.#film;
    const scale = Math.min(fullWidth / width, fullHeight / height);
    const crop = [width * scale, height * scale];
    const context = this.#filmContext;
    context.setTransform(isMirrored ? -1 : 1, 0, 0, 1, isMirrored ? width : 0, 0);
    context.drawImage(frame, (fullWidth - crop[0]) / 2, (fullHeight - crop[1]) / 2, ...crop, 0, 0, width, height);
    return createImageBitmap(this.#film, {
      resizeWidth: this.#size.width,
      resizeHeight: this.#size.height,
      resizeQuality: "high",
    });
  }

  /** Show the film, and over it the painting: a share of it, right of a line. */
  show(painting, strength, line) {
    const { width, height } = this.#canvas;
    const context = this.#context;
    context.drawImage(this.#film, 0, 0);
    if (!painting) return;
    const left = line === null ? 0 : Math.round(line * width);
    context.save();
    context.beginPath();
    context.rect(left, 0, width, height);
    context.clip();
    context.globalAlpha = strength;
    context.drawImage(painting, 0, 0, width, height);
    context.restore();
    painting.close();
    if (line !== null) {
      context.fillStyle = "#fff";
      context.fillRect(left - 1, 0, 2, height);
    }
  }
}
