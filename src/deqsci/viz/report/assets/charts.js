// Curves as SVG, drawn at the width they have; a range over each one reads values off.

const SVG = "http://www.w3.org/2000/svg";
const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [58, 14, 10, 40, 250];

function element(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// Round numbers from low to high, at most `most` of them.
function ticks(low, high, most) {
  const rough = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

const UP = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const power10 = (power) => `10${[...String(power)].map((c) => UP[c]).join("")}`;
const short = (value) => value.toExponential(1).replace("e-", "e−").replace("e+", "e");

// A curve of values by their number from 1 (null is a gap).
// scale(values): low and high of the vertical axis, after `of` was applied, and its marks.
class Chart {
  constructor(figure, { unit, across, of, scale, format, mark, describe, onRead }) {
    Object.assign(this, { unit, across, of, scaleOf: scale, format, mark, describe });
    this.svg = figure.querySelector("svg");
    this.range = figure.querySelector("input");
    this.output = figure.querySelector("output");
    this.range.addEventListener("input", () => {
      this.read(Number(this.range.value));
      onRead?.(Number(this.range.value));
    });
    const box = this.svg.parentElement;
    box.addEventListener("pointermove", (event) => {
      const { left, width } = box.getBoundingClientRect();
      const share = (event.clientX - left - LEFT) / (width - LEFT - RIGHT);
      this.read(Math.round(1 + Math.min(1, Math.max(0, share)) * (this.values.length - 1)));
    });
    box.addEventListener("pointerleave", () => this.read(Number(this.range.value)));
    new ResizeObserver(() => this.draw()).observe(box);
  }

  show(values, at) {
    this.values = values;
    const known = values.filter((value) => value !== null);
    this.scale = this.scaleOf(known);
    this.range.max = values.length;
    this.range.value = at;
    this.svg.setAttribute("aria-label", this.describe(known));
    this.draw();
  }

  x(number) {
    const last = Math.max(1, this.values.length - 1);
    const share = this.values.length === 1 ? 0.5 : (number - 1) / last;
    return LEFT + share * (this.width - LEFT - RIGHT);
  }

  y(value) {
    const { low, high } = this.scale;
    return TOP + (1 - (this.of(value) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  }

  draw() {
    this.width = this.svg.parentElement.clientWidth;
    if (!this.width || !this.values) return;
    const [right, floor] = [this.width - RIGHT, HEIGHT - BOTTOM];
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    const parts = [];
    for (const { value, text } of this.scale.marks) {
      const y = this.y(value);
      parts.push(element("line", { class: "grid", x1: LEFT, x2: right, y1: y, y2: y }));
      parts.push(element("text", { class: "mark end", x: LEFT - 10, y: y + 4 }, text));
    }
    const wide = Math.max(2, Math.floor(this.width / 70));
    const numbers = new Set([1, ...ticks(1, this.values.length, wide).filter(Number.isInteger)]);
    for (const number of numbers) {
      const place = { class: "mark middle", x: this.x(number), y: floor + 18 };
      parts.push(element("text", place, number));
    }
    const middle = (LEFT + right) / 2;
    parts.push(element("text", { class: "axis middle", x: middle, y: HEIGHT - 4 }, this.across));
    const turned = `translate(11 ${(TOP + floor) / 2}) rotate(-90)`;
    parts.push(element("text", { class: "axis middle", transform: turned }, this.unit));
    if (this.mark) {
      const y = this.y(this.mark.value);
      parts.push(element("line", { class: "goal", x1: LEFT, x2: right, y1: y, y2: y }));
      // On the left, where no curve that comes down to the line is near it.
      const beside = y + 18 < floor ? y + 15 : y - 6;
      parts.push(element("text", { class: "goal", x: LEFT + 4, y: beside }, this.mark.text));
    }
    parts.push(element("path", { class: "curve", d: this.path() }));
    this.cursor = element("line", { class: "cursor", y1: TOP, y2: floor });
    this.dot = element("circle", { class: "dot", r: 4.5 });
    parts.push(this.cursor, this.dot);
    this.svg.replaceChildren(...parts);
    this.read(Number(this.range.value));
  }

  path() {
    return this.values.map((value, i) => {
      if (value === null) return "";
      // "h0" shows a point that has no neighbours.
      const [pen, end] = (this.values[i - 1] ?? null) === null ? ["M", "h0"] : ["L", ""];
      return `${pen}${this.x(i + 1).toFixed(1)} ${this.y(value).toFixed(1)}${end}`;
    }).join("");
  }

  // Put cursor and words on a value; the range stays where its owner put it.
  read(number) {
    const value = this.values[number - 1] ?? null;
    const text = `${this.across.toLowerCase()} ${number}: ${value === null ? "not finite" : this.format(value)}`;
    this.output.textContent = text;
    this.range.setAttribute("aria-valuetext", text);
    if (!this.cursor) return;
    const x = this.x(number);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
    this.dot.setAttribute("visibility", value === null ? "hidden" : "visible");
    if (value !== null) {
      this.dot.setAttribute("cx", x);
      this.dot.setAttribute("cy", this.y(value));
    }
  }
}
