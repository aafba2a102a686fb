// A line chart as SVG: several series over steps, with the numbers below the pointer.

import { h, significant } from "./dom.js";

const space = "http://www.w3.org/2000/svg";
function s(name, attributes, ...children) {
  const element = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/// Round numbers between two ends.
function ticks(low, high, count) {
  const span = high - low || Math.abs(high) || 1;
  const raw = span / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999) ?? raw;
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) found.push(Math.abs(value) < step * 1e-9 ? 0 : value);
  return found;
}

/// At most `limit` points: of each stretch the least and the greatest.
function thinned(points, limit) {
  if (points.length <= limit) return points;
  const size = (points.length * 2) / limit, kept = [];
  for (let start = 0; start < points.length; start += size) {
    const part = points.slice(Math.floor(start), Math.floor(start + size));
    if (!part.length) continue;
    let low = part[0], high = part[0];
    for (const point of part) { if (point[1] < low[1]) low = point; if (point[1] > high[1]) high = point; }
    kept.push(...(low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
  }
  return kept;
}

export class Chart {
  constructor(title) {
    this.title = title;
    this.series = [];
    this.isLogarithmic = false;
    this.plot = h("div", { class: "plot" });
    this.readout = h("p", { class: "readout", "aria-hidden": "true" });
    this.logarithm = h("button", { type: "button", class: "text-button small", "aria-pressed": "false", title: "Logarithmic scale", onclick: () => {
      this.isLogarithmic = !this.isLogarithmic;
      this.logarithm.setAttribute("aria-pressed", String(this.isLogarithmic));
      this.logarithm.classList.toggle("pressed", this.isLogarithmic);
      this.draw();
    } }, "log");
    this.logarithm.setAttribute("aria-label", `Logarithmic scale for ${title}`);
    this.legend = h("ul", { class: "chart-legend" });
    this.element = h("figure", { class: "chart" }, h("figcaption", {}, h("h3", { text: title }), this.readout, this.logarithm), this.legend, this.plot);
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => { this.cursor?.setAttribute("visibility", "hidden"); this.readout.textContent = ""; });
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  /// Series are `{ name, color, points: [[step, value], …], isFaint, dash }`; a note says whose they are.
  show(series, note = "") {
    this.series = series;
    this.legend.replaceChildren(...(note ? [h("li", { text: note })] : []), ...(series.length < 2 ? [] : series.map(({ name, color, isFaint, dash }) => {
      const line = s("svg", { width: 18, height: 8, "aria-hidden": "true" }, s("line", { x1: 0, x2: 18, y1: 4, y2: 4, stroke: color, "stroke-width": isFaint ? 1.2 : 2.4, ...(dash ? { "stroke-dasharray": dash } : {}) }));
      return h("li", {}, line, name);
    })));
    this.draw();
  }

  draw() {
    const width = this.plot.clientWidth, height = 220;
    if (!width) return;
    const isLogarithmic = this.isLogarithmic && this.series.some(({ points }) => points.some(([, value]) => value > 0));
    const usable = this.series.map((series) => ({ ...series, points: series.points.filter(([, value]) => Number.isFinite(value) && (!isLogarithmic || value > 0)) })).filter(({ points }) => points.length);
    const all = usable.flatMap(({ points }) => points);
    this.plot.replaceChildren();
    if (!all.length) { this.plot.append(h("p", { class: "hint", text: "No numbers yet." })); return; }
    const bring = isLogarithmic ? Math.log10 : (value) => value;
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const [step, value] of all) {
      left = Math.min(left, step); right = Math.max(right, step);
      low = Math.min(low, bring(value)); high = Math.max(high, bring(value));
    }
    if (left === right) { left -= 1; right += 1; }
    if (left > 0 && left < right / 10) left = 0;
    const margin = (high - low || Math.abs(high) || 1) * 0.06;
    low -= margin; high += margin;
    const box = { left: 52, right: width - 10, top: 8, bottom: height - 24 };
    const x = (step) => box.left + ((step - left) / (right - left)) * (box.right - box.left);
    const y = (value) => box.bottom - ((bring(value) - low) / (high - low)) * (box.bottom - box.top);
    this.scale = { left, right, box, usable, x };
    const svg = s("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${this.title}: ${usable.map((series) => `${series.name} ${significant(series.points.at(-1)[1])}`).join(", ")}` });
    for (const tick of ticks(low, high, 4)) {
      const value = isLogarithmic ? 10 ** tick : tick;
      const place = y(value);
      svg.append(s("line", { x1: box.left, x2: box.right, y1: place, y2: place, class: "grid" }), text(significant(value, 3), box.left - 6, place + 4, "end"));
    }
    const marks = ticks(left, right, Math.max(3, Math.floor(width / 110))).filter((tick) => tick >= left && tick <= right);
    for (const tick of marks) {
      const label = tick >= 10000 ? `${significant(tick / 1000)}k` : significant(tick, 4);
      const isLast = tick === marks.at(-1);
      svg.append(text(isLast ? `${label} steps` : label, x(tick), height - 7, isLast && x(tick) > width - 60 ? "end" : "middle"));
    }
    for (const series of usable) {
      const points = thinned(series.points, 700);
      const path = points.map(([step, value], index) => `${index ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      svg.append(s("path", { d: path, class: "line", stroke: series.color, "stroke-width": series.isFaint ? 1 : 1.8, "stroke-opacity": series.isFaint ? 0.55 : 1, ...(series.dash ? { "stroke-dasharray": series.dash } : {}) }));
      if (points.length <= 40 && !series.isFaint) for (const [step, value] of points) svg.append(s("circle", { cx: x(step), cy: y(value), r: 2.4, fill: series.color }));
    }
    this.cursor = s("line", { x1: 0, x2: 0, y1: box.top, y2: box.bottom, class: "cursor", visibility: "hidden" });
    svg.append(this.cursor);
    this.plot.append(svg);

    function text(content, atX, atY, anchor) {
      const element = s("text", { x: atX, y: atY, "text-anchor": anchor });
      element.textContent = content;
      return element;
    }
  }

  point(event) {
    if (!this.scale || !this.cursor) return;
    const { left, right, box, usable, x } = this.scale;
    const at = event.clientX - this.plot.getBoundingClientRect().left;
    const wanted = left + ((at - box.left) / (box.right - box.left)) * (right - left);
    let step = null;
    const parts = usable.map(({ name, points }) => {
      let [low, high] = [0, points.length - 1];
      while (low < high) { const middle = (low + high) >> 1; if (points[middle][0] < wanted) low = middle + 1; else high = middle; }
      if (low > 0 && wanted - points[low - 1][0] < points[low][0] - wanted) low--;
      step ??= points[low][0];
      return `${name} ${significant(points[low][1])}`;
    });
    if (step === null) return;
    this.cursor.setAttribute("x1", x(step));
    this.cursor.setAttribute("x2", x(step));
    this.cursor.setAttribute("visibility", "visible");
    this.readout.textContent = `step ${step}: ${parts.slice(0, 6).join(" · ")}`;
  }
}
