// Panes that share one view, and the gestures that change it.

const MOST = 16;
const view = { zoom: 1, x: 0.5, y: 0.5 }; // magnification, and the picture's point in the middle
const stage = document.getElementById("stage");
const panes = document.getElementById("panes");
const split = document.getElementById("split");

// Draw the part of a picture that is in view between two shares of the canvas's width.
function paint(canvas, image, from = 0, to = 1) {
  const context = canvas.getContext("2d");
  const [width, height] = [data.width / view.zoom, data.height / view.zoom];
  const scale = canvas.width / width;
  context.imageSmoothingEnabled = scale < 4; // larger, and single pixels are what is looked for
  context.imageSmoothingQuality = "high";
  context.save();
  context.beginPath();
  context.rect(from * canvas.width, 0, (to - from) * canvas.width, canvas.height);
  context.clip();
  const [left, top] = [view.x * data.width - width / 2, view.y * data.height - height / 2];
  context.drawImage(image, left, top, width, height, 0, 0, canvas.width, canvas.height);
  context.restore();
}

// As many pixels as the screen has there.
function fitCanvas(canvas) {
  const width = Math.round(canvas.clientWidth * devicePixelRatio);
  const height = Math.round((width * data.height) / data.width);
  if (width > 0 && (canvas.width !== width || canvas.height !== height)) {
    Object.assign(canvas, { width, height });
  }
}

function moveTo(x, y) {
  const margin = 0.5 / view.zoom;
  view.x = Math.min(1 - margin, Math.max(margin, x));
  view.y = Math.min(1 - margin, Math.max(margin, y));
}

// Magnify by a factor; the point at shares (u, v) of a pane stays where it is.
function zoomBy(factor, u = 0.5, v = 0.5) {
  const before = view.zoom;
  view.zoom = Math.min(MOST, Math.max(1, before * factor));
  if (Math.abs(view.zoom - 1) < 0.01) view.zoom = 1;
  const change = 1 / before - 1 / view.zoom;
  moveTo(view.x + (u - 0.5) * change, view.y + (v - 0.5) * change);
  document.documentElement.classList.toggle("zoomed", view.zoom > 1);
}

function moveBy(du, dv) {
  moveTo(view.x + du / view.zoom, view.y + dv / view.zoom);
}

// Mouse, pen and fingers on a canvas: one moves the divider or the picture, two pinch.
function listen(canvas, redraw) {
  const pointers = new Map();
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  const divide = ([u]) => {
    split.value = 100 * u;
  };
  const divides = () => view.zoom === 1 && stage.contains(canvas);

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (pointers.size === 2) {
      const apart = spread();
      pointers.set(event.pointerId, now);
      zoomBy(spread() / apart, ...now);
    } else if (divides()) divide(now);
    else moveBy(before[0] - now[0], before[1] - now[1]);
    pointers.set(event.pointerId, now);
    redraw();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener("dblclick", (event) => {
    zoomBy(view.zoom < MOST ? 2 : 0, ...at(event));
    redraw();
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    zoomBy(2 ** (-event.deltaY / 200), ...at(event));
    redraw();
  }, { passive: false });
}
