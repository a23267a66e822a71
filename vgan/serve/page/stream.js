// Sends the newest frame of a video, at most two at a time, and hands on what comes back.

const MOST = 2;          // frames in flight
const PIXELS = 1280 * 720;
const QUALITY = 0.85;    // of JPEG
const RECENT = 2000;     // milliseconds that figures are about

export class Stream {
  #socket = null;
  #retry = 0;
  #number = 0;
  #flying = new Map();   // number -> {canvas, at}
  #free = [];
  #late = false;         // a frame waits for a place
  #encoded = Promise.resolve();
  #decoded = Promise.resolve();
  #shown = [];           // [time, latency]
  #seen = [];            // [time, frames of the source so far]
  #size = "";
  #notBefore = 0;        // no new socket before this time
  #complained = false;
  #telling = null;       // timer

  // show(bitmap, canvas of the original), say(text)
  constructor(video, show, say) {
    this.video = video;
    this.show = show;
    this.say = say;
    this.detail = 256;   // short side, in pixels
    this.mirror = false;
    this.active = false;
    this.choice = {};
    this.#watch();
  }

  start() {
    this.active = true;
    this.#shown = [];
    this.#seen = [];
    this.#capture();
  }

  stop() {
    this.active = false;
    this.#close();
  }

  choose(choice) {
    this.choice = choice;
    this.#telling ??= setTimeout(() => {  // a slider moves faster than it needs to be told
      this.#telling = null;
      if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(this.choice));
      if (this.video.paused) this.#capture();
    }, 40);
  }

  // Frames per second, median latency in milliseconds, share of dropped frames.
  figures(now = performance.now()) {
    this.#shown = this.#shown.filter(([at]) => now - at < RECENT);
    this.#seen = this.#seen.filter(([at]) => now - at < RECENT);
    if (this.#shown.length < 2) return null;
    const seconds = (now - this.#shown[0][0]) / 1000;
    const sorted = this.#shown.map(([, latency]) => latency).sort((a, b) => a - b);
    const came = this.#seen.length > 1 ? this.#seen.at(-1)[1] - this.#seen[0][1] + 1 : 0;
    return {
      fps: this.#shown.length / seconds,
      latency: sorted[sorted.length >> 1],
      dropped: came ? Math.max(0, 1 - this.#shown.length / came) : 0,
    };
  }

  #watch() {
    const { video } = this;
    if (video.requestVideoFrameCallback) {
      const next = (now, about) => {
        this.#seen.push([now, about.presentedFrames]);
        this.#capture(now);
        video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    } else {
      let before = -1, count = 0;
      const next = (now) => {
        if (video.currentTime !== before) {
          before = video.currentTime;
          this.#seen.push([now, ++count]);
          this.#capture(now);
        }
        requestAnimationFrame(next);
      };
      requestAnimationFrame(next);
    }
  }

  #capture(now = performance.now()) {
    const { video } = this;
    if (!this.active || !video.videoWidth) return;
    const [width, height] = this.#sides(video.videoWidth, video.videoHeight);
    if (`${width}x${height}` !== this.#size) {  // a stream has frames of one size
      this.#close();
      this.#size = `${width}x${height}`;
    }
    if (!this.#socket && performance.now() >= this.#notBefore) this.#open();
    if (this.#socket?.readyState !== WebSocket.OPEN || this.#flying.size >= MOST) {
      this.#late = true;
      return;
    }
    this.#late = false;
    const canvas = this.#free.pop() ?? new OffscreenCanvas(width, height);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    context.setTransform(this.mirror ? -1 : 1, 0, 0, 1, this.mirror ? width : 0, 0);
    context.drawImage(video, 0, 0, width, height);
    const number = ++this.#number;
    this.#flying.set(number, { canvas, at: now });
    const socket = this.#socket;
    this.#encoded = this.#encoded.then(async () => {
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
      const message = new Uint8Array(4 + blob.size);
      new DataView(message.buffer).setUint32(0, number, true);
      message.set(new Uint8Array(await blob.arrayBuffer()), 4);
      if (socket.readyState === WebSocket.OPEN) socket.send(message);
    }).catch(() => this.#done(number));
  }

  #sides(width, height) {
    const scale = Math.min(
      1, this.detail / Math.min(width, height), Math.sqrt(PIXELS / (width * height)),
      1280 / Math.max(width, height));
    return [width, height].map((side) => Math.max(16, 2 * Math.round(side * scale / 2)));
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = this.#socket = new WebSocket(`${scheme}://${location.host}/api/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      socket.send(JSON.stringify(this.choice));
      this.#capture();
    };
    socket.onmessage = ({ data }) => {
      if (socket !== this.#socket) return;
      if (typeof data === "string") this.#complaint(JSON.parse(data));
      else this.#painted(data);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#close();
      if (!this.active) return;
      this.say(reason || (code === 1000 ? "" : "The server is gone; trying again …"));
      this.#complained = true;
      const wait = code === 1013 ? 5000 : Math.min(500 * 2 ** this.#retry++, 8000);
      this.#notBefore = performance.now() + wait;
      setTimeout(() => this.#capture(), wait + 1);
    };
  }

  #close() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const { canvas } of this.#flying.values()) this.#free.push(canvas);
    this.#flying.clear();
  }

  // All frames up to a number are done with; returns the one of that number.
  #done(number) {
    const flight = this.#flying.get(number);
    for (const [other, { canvas }] of [...this.#flying]) {
      if (other > number) continue;
      this.#flying.delete(other);
      if (other !== number) this.#free.push(canvas);
    }
    if (this.#late) this.#capture();
    return flight;
  }

  #complaint({ error, frame }) {
    this.say(error);
    this.#complained = true;
    if (frame === null) return;
    const flight = this.#done(frame);
    if (flight) this.#free.push(flight.canvas);
  }

  #painted(data) {
    const flight = this.#done(new DataView(data).getUint32(0, true));
    if (!flight) return;
    this.#decoded = this.#decoded.then(async () => {
      const bitmap = await createImageBitmap(
        new Blob([new Uint8Array(data, 4)], { type: "image/jpeg" }));
      const before = this.show(bitmap, flight.canvas);
      if (before) this.#free.push(before);
      const now = performance.now();
      this.#shown.push([now, now - flight.at]);
      if (this.#complained) this.say("");
      this.#complained = false;
      this.#retry = 0;
    }).catch(() => {});
  }
}
