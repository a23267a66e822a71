// Scene cuts, found as vgan/video/cuts.py does: there the bounds are explained.

const SIDE = 32; // of the thumbnails that are compared
const REACH = 8; // pixels that a pan may move them by
const INNER = SIDE - 2 * REACH;
const FLAT = 8; // gray values that spread less show nothing
const GAUSSIAN = [0.25, 0.5, 0.25];
const BOX = new Array(9).fill(1 / 9);

/** Tells of each frame of a stream whether it begins a new scene. */
export class CutDetector {
  #context = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
  #last = null;

  reset() {
    this.#last = null;
  }

  isCut(bitmap) {
    const now = this.#thumbnail(bitmap);
    if (spread(now) < FLAT) return false; // a flash is passed over
    const before = this.#last;
    this.#last = now;
    return before !== null && differ(before, now);
  }

  /** Three planes of 32 x 32 values from 0 to 255. */
  #thumbnail(bitmap) {
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(bitmap, 0, 0, SIDE, SIDE);
    const { data } = this.#context.getImageData(0, 0, SIDE, SIDE);
    return [0, 1, 2].map((channel) =>
      Float32Array.from({ length: SIDE * SIDE }, (_, place) => data[4 * place + channel]));
  }
}

function spread(planes) {
  const gray = planes[0].map((value, place) => (value + planes[1][place] + planes[2][place]) / 3);
  const mean = sum(gray) / gray.length;
  return Math.sqrt(sum(gray.map((value) => (value - mean) ** 2)) / gray.length);
}

function differ(before, after) {
  const change = sum(before.map((plane, channel) =>
    sum(plane.map((value, place) => Math.abs(value - after[channel][place])))));
  if (change / (3 * SIDE * SIDE) < 6) return false;
  const alike = sharedColors(before, after);
  if (alike < 0.65) return match(details(before), details(after)) < 0.58;
  return alike < 0.8 && match(before, after) < 0.56;
}

function sharedColors(...frames) {
  const [one, two] = frames.map((planes) => {
    const [red, green, blue] = planes.map((plane) => filtered(plane, GAUSSIAN));
    const bins = new Float32Array(512);
    red.forEach((value, place) => {
      const index = [value, green[place], blue[place]].map((level) => Math.floor(level / 32));
      bins[64 * index[0] + 8 * index[1] + index[2]] += 1 / red.length;
    });
    return bins;
  });
  return sum(one.map((share, bin) => Math.min(share, two[bin])));
}

function details(planes) {
  return planes.map((plane) => {
    const coarse = filtered(plane, BOX);
    return plane.map((value, place) => value - coarse[place]);
  });
}

/** How well the middle of one is found in the other, at most 1. */
function match(one, two) {
  return Math.max(found(one, two), found(two, one));
}

function found(wanted, planes) {
  const middle = wanted.map((plane) => {
    const values = window(plane, REACH, REACH);
    const mean = sum(values) / values.length;
    return values.map((value) => value - mean);
  });
  const power = sum(middle.map((values) => sum(values.map((value) => value * value))));
  let best = -1;
  for (let top = 0; top <= 2 * REACH; top++) {
    for (let left = 0; left <= 2 * REACH; left++) {
      let product = 0, other = 0;
      planes.forEach((plane, channel) => {
        const aim = middle[channel];
        let total = 0, squares = 0, at = 0;
        for (let y = top; y < top + INNER; y++) {
          for (let x = left; x < left + INNER; x++) {
            const value = plane[SIDE * y + x];
            total += value;
            squares += value * value;
            product += value * aim[at++];
          }
        }
        other += squares - (total * total) / (INNER * INNER);
      });
      if (power * other > 1e-6) best = Math.max(best, product / Math.sqrt(power * other));
    }
  }
  return best;
}

function window(plane, top, left) {
  return Float32Array.from({ length: INNER * INNER }, (_, place) =>
    plane[SIDE * (top + Math.floor(place / INNER)) + left + (place % INNER)]);
}

/** Filtered along both axes, reflected at the borders. */
function filtered(plane, kernel) {
  const reach = (kernel.length - 1) / 2;
  const reflect = (at) => (at < 0 ? -at : at >= SIDE ? 2 * SIDE - 2 - at : at);
  for (const [step, other] of [[1, SIDE], [SIDE, 1]]) {
    const from = plane;
    plane = new Float32Array(SIDE * SIDE);
    for (let line = 0; line < SIDE; line++) {
      for (let at = 0; at < SIDE; at++) {
        let value = 0;
        kernel.forEach((weight, index) => {
          value += weight * from[other * line + step * reflect(at + index - reach)];
        });
        plane[other * line + step * at] = value;
      }
    }
  }
  return plane;
}

function sum(values) {
  return values.reduce((one, other) => one + other, 0);
}
