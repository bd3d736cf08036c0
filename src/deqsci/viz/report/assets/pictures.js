// The pictures of a snapshot: decoded once, lent by kind and frame.

const data = JSON.parse(document.getElementById("data").textContent);

const NAMES = { snapshot: "Snapshot", video: "Reconstruction", truth: "Truth", error: "Error" };
const KINDS = data.errorTop === null ? ["snapshot", "video"] : Object.keys(NAMES);

// Blank canvases to compute on, one a task: they are read back, so they stay in main memory.
function sheet(width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  return canvas.getContext("2d", { willReadFrequently: true });
}

const palette = Uint8Array.from(atob(data.colours ?? ""), (c) => c.charCodeAt(0));
const scratch = sheet(data.width, data.height);

function values(image) {
  scratch.drawImage(image, 0, 0);
  return scratch.getImageData(0, 0, data.width, data.height).data;
}

class Pictures {
  static async of(index) {
    const stored = JSON.parse(document.getElementById(`pixels-${index}`).textContent);
    const pictures = new Pictures();
    pictures.snapshot = await decode(stored.snapshot);
    pictures.video = await Promise.all(stored.video.map(decode));
    pictures.truth = stored.truth && (await Promise.all(stored.truth.map(decode)));
    return pictures;
  }

  // The image of a kind at a frame (from 0).
  get(kind, frame) {
    if (kind === "snapshot") return this.snapshot;
    return kind === "error" ? this.error(frame) : this[kind][frame];
  }

  // |reconstruction − truth|, its mean over red, green and blue, through the colour map; the last
  // one is kept.
  error(frame) {
    if (this.errorFrame === frame) return this.errorSheet.canvas;
    const [a, b] = [values(this.video[frame]), values(this.truth[frame])];
    this.errorSheet ??= sheet(data.width, data.height);
    const image = this.errorSheet.createImageData(data.width, data.height);
    for (let i = 0; i < a.length; i += 4) {
      let sum = 0;
      for (let c = i; c < i + 3; c++) sum += Math.abs(a[c] - b[c]);
      const step = 3 * Math.min(255, Math.round(sum / 3 / data.errorTop));
      image.data[i] = palette[step];
      image.data[i + 1] = palette[step + 1];
      image.data[i + 2] = palette[step + 2];
      image.data[i + 3] = 255;
    }
    this.errorSheet.putImageData(image, 0, 0);
    this.errorFrame = frame;
    return this.errorSheet.canvas;
  }
}

async function decode(base64) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  await image.decode();
  return createImageBitmap(image);
}

const decoded = new Map();

function lend(index) {
  if (!decoded.has(index)) decoded.set(index, Pictures.of(index));
  return decoded.get(index);
}

// The pictures of a snapshot, decoded once. Its own and the next one's stay; the rest of a long run
// does not. `ahead` has the next ones decoded too, for a video that plays on.
function pictures(index, ahead) {
  const next = (index + 1) % data.snapshots.length;
  for (const other of decoded.keys()) if (other !== index && other !== next) decoded.delete(other);
  const own = lend(index);
  if (ahead) own.then(() => lend(next));
  return own;
}

function drawScale(canvas) {
  const context = canvas.getContext("2d");
  for (let i = 0; i < 256; i++) {
    context.fillStyle = `rgb(${palette.slice(3 * i, 3 * i + 3).join(" ")})`;
    context.fillRect(i, 0, 1, 1);
  }
}
