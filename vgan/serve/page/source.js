// What is painted: the camera, the demo film or a file, played by one video element.

export class Source {
  #address = null;

  constructor(video) {
    this.video = video;
    video.playsInline = true;
    video.loop = true;
  }

  // Frames are asked for no larger than they are needed: `detail` is their short side.
  async camera(detail) {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give the camera to https pages and to localhost only.");
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { ...size(detail), facingMode: "user" },
      });
    } catch (error) {
      const reasons = {
        NotAllowedError: "The browser was not allowed to use the camera; allow it beside the address.",
        NotFoundError: "There is no camera.",
        NotReadableError: "Another program has the camera; close that one.",
      };
      throw new Error(reasons[error.name] ?? `The camera cannot be used (${error.message}).`);
    }
    this.stop();
    this.video.srcObject = stream;
    this.video.muted = true;
    await this.video.play();
  }

  resize(detail) {
    for (const track of this.video.srcObject?.getTracks() ?? []) {
      track.applyConstraints(size(detail)).catch(() => {});
    }
  }

  demo() {
    return this.#play("/sample.mp4", true);
  }

  file(file) {
    const address = URL.createObjectURL(file);
    const playing = this.#play(address, false);
    this.#address = address;
    return playing;
  }

  stop() {
    for (const track of this.video.srcObject?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
    this.video.removeAttribute("src");
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = null;
  }

  async #play(address, muted) {
    this.stop();
    this.video.muted = muted;
    this.video.src = address;
    try {
      await this.video.play();
    } catch (error) {
      if (error.name === "AbortError") return;  // another source was chosen meanwhile
      if (error.name === "NotAllowedError") {
        this.video.muted = true;
        await this.video.play();
        return;
      }
      throw new Error("This browser cannot play the film; the page Film paints it.");
    }
  }
}

function size(detail) {
  const height = detail > 360 ? 720 : 360;
  return { width: { ideal: height / 9 * 16 }, height: { ideal: height } };
}
