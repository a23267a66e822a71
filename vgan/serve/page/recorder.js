// The picture as it is shown, to a WebM file (MP4 where the browser knows no other).

const KINDS = ["video/webm;codecs=vp9,opus", "video/webm;codecs=vp8,opus", "video/webm", "video/mp4"];

export class Recorder {
  #recorder = null;
  #began = 0;

  constructor(canvas, video) {
    this.canvas = canvas;
    this.video = video;
  }

  get active() {
    return this.#recorder !== null;
  }

  get seconds() {
    return this.active ? Math.floor((performance.now() - this.#began) / 1000) : 0;
  }

  start() {
    const type = window.MediaRecorder && KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    if (!type) throw new Error("This browser cannot record.");
    const stream = this.canvas.captureStream(30);
    const film = !this.video.srcObject && !this.video.muted && this.video.captureStream?.();
    for (const track of film ? film.getAudioTracks() : []) stream.addTrack(track);
    const pieces = [];
    const recorder = this.#recorder = new MediaRecorder(stream, { mimeType: type, videoBitsPerSecond: 8e6 });
    recorder.ondataavailable = ({ data }) => pieces.push(data);
    recorder.onstop = () => {
      for (const track of stream.getVideoTracks()) track.stop();
      save(new Blob(pieces, { type: type.split(";")[0] }));
    };
    recorder.start(1000);
    this.#began = performance.now();
  }

  stop() {
    this.#recorder.stop();
    this.#recorder = null;
  }
}

function save(blob) {
  const link = document.createElement("a");
  const time = new Date().toISOString().slice(0, 19).replace(/\D/g, "");
  link.href = URL.createObjectURL(blob);
  link.download = `vgan-${time}.${blob.type.includes("mp4") ? "mp4" : "webm"}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
