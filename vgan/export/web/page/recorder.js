const TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];

/** Records a canvas, in memory, until it is stopped. */
export class Recorder {
  #recorder = null;
  #parts = [];

  get isRecording() {
    return this.#recorder !== null;
  }

  start(canvas) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const stream = canvas.captureStream(30);
    this.#parts = [];
    this.#recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: 8e6 });
    this.#recorder.ondataavailable = ({ data }) => this.#parts.push(data);
    this.#recorder.start(1000);
  }

  /** Resolves to a Blob. */
  async stop() {
    const recorder = this.#recorder;
    this.#recorder = null;
    await new Promise((resolve) => {
      recorder.onstop = resolve;
      recorder.stop();
    });
    for (const track of recorder.stream.getTracks()) track.stop();
    return new Blob(this.#parts, { type: recorder.mimeType.split(";")[0] });
  }
}
