// What is chosen, and the controls that choose it.

const $ = (id) => document.getElementById(id);
const state = { snapshot: 0, frame: 0, playing: false, shown: null };
const still = matchMedia("(prefers-reduced-motion: reduce)");
const PLAY = "M4 2.5v11l9.5-5.5z";
const PAUSE = "M4 2.5h3v11H4zM9 2.5h3v11H9z";

const kinds = (select, chosen) => {
  select.replaceChildren(...KINDS.map((kind) => new Option(NAMES[kind], kind)));
  select.value = chosen;
};

// --- curves ---

const known = (key) => data.snapshots.flatMap((s) => s[key] ?? []).filter((v) => v !== null);

// All snapshots share its scale: how far each one came can be compared.
function residualChart() {
  const logs = [...known("residuals"), data.tolerance].filter((v) => v > 0).map(Math.log10);
  if (!logs.length) return null;
  const low = Math.floor(Math.min(...logs) - 0.15);
  const high = Math.max(low + 1, Math.ceil(Math.max(...logs)));
  const marks = [];
  for (let p = low; p <= high; p++) marks.push({ value: 10 ** p, text: power10(p) });
  return new Chart($("residuals"), {
    unit: data.tolerance === null ? "relative change" : "relative residual",
    across: "Pass",
    of: (v) => Math.max(low, Math.log10(v)),
    scale: () => ({ low, high, marks }),
    format: short,
    mark: data.tolerance && { value: data.tolerance, text: `tolerance ${short(data.tolerance)}` },
    describe: (v) => `Curve of ${v.length} passes, from ${short(v[0] ?? NaN)} to ${short(v.at(-1) ?? NaN)}`,
  });
}

// Each snapshot has its own: they lie far apart, and it is the course over the frames that tells.
function psnrScale(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.15 * (high - low), 1 - (high - low) / 2);
  const marks = ticks(low - room, high + room, 5).map((v) => ({ value: v, text: `${+v.toFixed(2)}` }));
  return { low: low - room, high: high + room, marks };
}

function psnrChart() {
  if (!$("psnr") || !known("psnrPerFrame").length) return null;
  return new Chart($("psnr"), {
    unit: "PSNR, dB",
    across: "Frame",
    of: (v) => v,
    scale: psnrScale,
    format: (v) => `${v.toFixed(2)} dB`,
    describe: (v) => `Curve of ${v.length} frames, from ${Math.min(...v).toFixed(2)} to ${Math.max(...v).toFixed(2)} dB`,
    onRead: (number) => toFrame(number - 1),
  });
}

// --- drawing ---

function draw() {
  const { shown, frame } = state;
  if (!shown) return;
  const words = `frame ${frame + 1} of ${data.frames}`;
  if (panes.hidden) {
    const share = split.value / 100;
    const canvas = stage.querySelector("canvas");
    fitCanvas(canvas);
    paint(canvas, shown.get($("left").value, frame), 0, share);
    paint(canvas, shown.get($("right").value, frame), share, 1);
    const [left, right] = [NAMES[$("left").value], NAMES[$("right").value]];
    canvas.setAttribute("aria-label", `${left} left of the divider, ${right} right of it, ${words}`);
    stage.style.setProperty("--split", share);
    split.setAttribute("aria-valuetext", `${left} ${split.value} %, ${right} ${100 - split.value} %`);
  } else {
    for (const canvas of panes.querySelectorAll("canvas")) {
      fitCanvas(canvas);
      paint(canvas, shown.get(canvas.dataset.kind, frame));
      canvas.setAttribute("aria-label", `${NAMES[canvas.dataset.kind]}, ${words}`);
    }
  }
  $("frame").value = frame + 1;
  $("frame").setAttribute("aria-valuetext", words);
  $("count").textContent = `frame ${frame + 1} / ${data.frames}`;
  $("fit").textContent = `${Math.round(10 * view.zoom) / 10}×`;
  if (psnr?.values) {
    psnr.range.value = frame + 1;
    psnr.read(frame + 1);
  }
}

let asked = false;
function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

// --- what is chosen ---

async function toSnapshot(index) {
  const count = data.snapshots.length;
  state.snapshot = (index + count) % count;
  const radio = document.querySelector(`[name=snapshot][value="${state.snapshot}"]`);
  radio.checked = true;
  const list = radio.closest(".list");
  const item = radio.parentElement;
  if (list.scrollHeight > list.clientHeight || list.scrollWidth > list.clientWidth) {
    list.scrollTo({
      top: item.offsetTop - (list.clientHeight - item.clientHeight) / 2,
      left: item.offsetLeft - (list.clientWidth - item.clientWidth) / 2,
    });
  }
  const wanted = state.snapshot;
  const shown = await pictures(wanted, $("through")?.checked);
  if (wanted !== state.snapshot) return; // another was chosen meanwhile
  Object.assign(state, { shown, frame: 0 });
  tell(data.snapshots[wanted]);
  draw();
  document.documentElement.dataset.shown = wanted;
}

function tell(snapshot) {
  $("status").className = `tone ${snapshot.tone}`;
  $("status").textContent = snapshot.label;
  $("solve").replaceChildren(...snapshot.solve.map((text) => {
    return Object.assign(document.createElement("p"), { textContent: text });
  }));
  $("certificate").textContent = snapshot.certificate;
  $("agreement").textContent = snapshot.agreement;
  if ($("quality")) $("quality").textContent = quality(snapshot);
  if (snapshot.residuals.length) residuals?.show(snapshot.residuals, snapshot.residuals.length);
  if (snapshot.psnrPerFrame) psnr?.show(snapshot.psnrPerFrame, state.frame + 1);
}

function quality({ psnr, ssim, psnrPerFrame }) {
  if (psnr === null || !psnrPerFrame) return "Against the truth: no finite PSNR.";
  const [low, high] = [Math.min(...psnrPerFrame), Math.max(...psnrPerFrame)];
  const structure = ssim === null ? "" : `, SSIM ${ssim.toFixed(3)}`;
  return `Against the truth: PSNR ${psnr.toFixed(2)} dB${structure}, the mean over ${data.frames} frames. ` +
    `The worst is frame ${psnrPerFrame.indexOf(low) + 1} with ${low.toFixed(2)} dB, ` +
    `the best is frame ${psnrPerFrame.indexOf(high) + 1} with ${high.toFixed(2)} dB.`;
}

function toFrame(frame) {
  state.frame = (frame + data.frames) % data.frames;
  redraw();
}

// --- playing ---

let timer = 0;
function play(on) {
  state.playing = on;
  clearInterval(timer);
  if (on) timer = setInterval(step, 1000 / $("speed").value);
  $("play").setAttribute("aria-label", on ? "Pause" : "Play");
  $("play").querySelector("path").setAttribute("d", on ? PAUSE : PLAY);
}

function step() {
  if (document.documentElement.dataset.shown !== String(state.snapshot)) return; // still decoding
  const last = state.frame === data.frames - 1;
  if (last && $("through")?.checked) toSnapshot(state.snapshot + 1);
  else toFrame(state.frame + 1);
}

// --- controls ---

function together(on) {
  panes.hidden = !on;
  stage.hidden = on;
  $("together").setAttribute("aria-pressed", on);
  redraw();
}

const change = (action) => () => {
  action();
  redraw();
};
const scrub = (by) => () => {
  play(false);
  toFrame(state.frame + by);
};
const STEP = 2 ** 0.5;
const zoomIn = change(() => zoomBy(STEP));
const zoomOut = change(() => zoomBy(1 / STEP));
const fit = change(() => zoomBy(0));

const KEYS = {
  ArrowLeft: scrub(-1),
  ArrowRight: scrub(1),
  Home: () => scrub(-state.frame)(),
  End: () => scrub(data.frames - 1 - state.frame)(),
  " ": () => play(!state.playing),
  "+": zoomIn,
  "=": zoomIn,
  "-": zoomOut,
  0: fit,
  n: () => toSnapshot(state.snapshot + 1),
  p: () => toSnapshot(state.snapshot - 1),
  "Shift+ArrowLeft": change(() => moveBy(-0.1, 0)),
  "Shift+ArrowRight": change(() => moveBy(0.1, 0)),
  "Shift+ArrowUp": change(() => moveBy(0, -0.1)),
  "Shift+ArrowDown": change(() => moveBy(0, 0.1)),
};
const NAVIGATION = /^(Arrow|Home|End)/;

// A control that has the focus keeps the keys that are its own.
function taken(target, key) {
  if (key.startsWith("Shift+")) return false;
  if (target.matches("select")) return true;
  if (target.matches("[type=radio]")) return key === " ";
  if (target.matches("[type=range]")) return NAVIGATION.test(key);
  return key === " " && target.matches("button, a, summary, [type=checkbox]");
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = event.shiftKey && event.key.startsWith("Arrow");
  const key = arrow ? `Shift+${event.key}` : event.key;
  if (!KEYS[key] || taken(event.target, key)) return;
  event.preventDefault();
  KEYS[key]();
});

$("play").addEventListener("click", () => play(!state.playing));
$("play").disabled = $("frame").disabled = data.frames === 1;
$("frame").addEventListener("input", () => {
  play(false);
  toFrame($("frame").value - 1);
});
$("speed").addEventListener("change", () => play(state.playing));
$("together").addEventListener("click", () => together(panes.hidden));
$("in").addEventListener("click", zoomIn);
$("out").addEventListener("click", zoomOut);
$("fit").addEventListener("click", fit);
split.addEventListener("input", redraw);
for (const radio of document.querySelectorAll("[name=snapshot]")) {
  radio.addEventListener("change", () => toSnapshot(Number(radio.value)));
}

kinds($("left"), "snapshot");
kinds($("right"), "video");
for (const id of ["left", "right"]) $(id).addEventListener("change", redraw);

for (const kind of KINDS) {
  const figure = document.createElement("figure");
  const canvas = Object.assign(document.createElement("canvas"), { role: "img" });
  canvas.dataset.kind = kind;
  const caption = document.createElement("figcaption");
  caption.textContent = NAMES[kind];
  figure.append(canvas, caption);
  panes.append(figure);
}
for (const canvas of document.querySelectorAll("#stage canvas, #panes canvas")) {
  canvas.style.aspectRatio = `${data.width} / ${data.height}`;
  listen(canvas, redraw);
  new ResizeObserver(redraw).observe(canvas);
}
$("pictures").style.setProperty("--ratio", data.width / data.height);
if ($("scale")) drawScale($("scale"));

const residuals = residualChart();
const psnr = psnrChart();
if (!residuals) $("residuals").hidden = true;
if (!psnr && $("psnr")) $("psnr").hidden = true;
await toSnapshot(0);
play(!still.matches && data.frames > 1);
