/** Camera, film or demo, through one video element. */
export class Source {
  #video;
  #stream;
  #address;
  #wake = () => {};
  #isFresh = false;
  kind = null;
  facing = "user";
  /** Called where frames no longer follow the last one: another film, a leap in it. */
  onleap = () => {};

  constructor(video) {
    this.#video = video;
    video.onseeked = () => this.onleap();
    const tick = () => {
      this.poke();
      onFrame(video, tick);
    };
    onFrame(video, tick);
  }

  get video() {
    return this.#video;
  }

  get isMirrored() {
    return this.kind === "camera" && this.facing === "user";
  }

  get isPaused() {
    return this.#video.paused;
  }

  /** Open "camera", or what is at an address. */
  async open(kind, address) {
    const stream = kind === "camera" ? await camera(this.facing) : null;
    this.close();
    this.kind = kind;
    this.#stream = this.#video.srcObject = stream;
    this.#address = address;
    if (address) this.#video.src = address;
    this.onleap();
    await this.#video.play();
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#address?.startsWith("blob:")) URL.revokeObjectURL(this.#address);
    this.#video.removeAttribute("src");
    this.kind = null;
  }

  pause(isPaused) {
    isPaused ? this.#video.pause() : this.#video.play().catch(() => {});
  }

  /** Resolves when there is a frame that was not taken yet, or after `poke`. */
  async next() {
    if (!this.#isFresh) await new Promise((resolve) => (this.#wake = resolve));
    this.#isFresh = false;
  }

  poke() {
    this.#isFresh = true;
    this.#wake();
  }
}

function onFrame(video, then) {
  video.requestVideoFrameCallback
    ? video.requestVideoFrameCallback(then)
    : requestAnimationFrame(then);
}

function camera(facingMode) {
  if (!navigator.mediaDevices) {
    throw new Error("browsers give the camera to pages from https: or localhost only");
  }
  const video = { facingMode, width: { ideal: 1280 }, height: { ideal: 720 } };
  return navigator.mediaDevices.getUserMedia({ video });
}
