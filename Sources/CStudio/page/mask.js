// A picture to paint a mask on: what is painted is drawn anew.

import { h, slider } from "./dom.js";

export class MaskEditor {
  constructor({ onchange }) {
    this.onchange = onchange;
    this.canvas = h("canvas", { class: "mask-canvas", tabindex: "0", role: "img", "aria-label": "The picture; paint what is to be drawn anew. With the keyboard: arrow keys move the brush, space paints, backspace erases." });
    this.isErasing = false;
    this.cursor = null;
    this.brush = slider("Brush", { min: 2, max: 40, step: 1, value: 10, format: (value) => `${value} px` });
    this.erase = h("button", { type: "button", class: "button", "aria-pressed": "false", onclick: () => this.setErasing(!this.isErasing) }, "Eraser");
    this.element = h("div", { class: "mask" }, this.canvas, this.brush.element,
      h("div", { class: "button-row" }, this.erase,
        h("button", { type: "button", class: "button", onclick: () => this.fill(false) }, "Clear mask"),
        h("button", { type: "button", class: "button", onclick: () => this.invert() }, "Invert")));
    this.listen();
  }

  setErasing(value) {
    this.isErasing = value;
    this.erase.setAttribute("aria-pressed", String(value));
    this.erase.classList.toggle("pressed", value);
  }

  /// Begins with a picture, of the size of drawings, and an empty mask.
  begin(picture, width, height) {
    this.picture = picture;
    Object.assign(this.canvas, { width, height });
    this.mask = h("canvas", { width, height });
    this.brush.input.max = String(Math.max(8, Math.round(Math.min(width, height) / 2)));
    this.brush.value = Math.max(2, Math.round(Math.min(width, height) / 7));
    this.cursor = { x: width / 2, y: height / 2 };
    this.draw();
  }

  get isEmpty() {
    const { data } = this.mask.getContext("2d").getImageData(0, 0, this.mask.width, this.mask.height);
    for (let index = 3; index < data.length; index += 4) if (data[index] > 127) return false;
    return true;
  }

  fill(isSet) {
    const context = this.mask.getContext("2d");
    context.clearRect(0, 0, this.mask.width, this.mask.height);
    if (isSet) { context.fillStyle = "#fff"; context.fillRect(0, 0, this.mask.width, this.mask.height); }
    this.draw();
    this.onchange?.();
  }

  invert() {
    const context = this.mask.getContext("2d");
    context.globalCompositeOperation = "xor";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.mask.width, this.mask.height);
    context.globalCompositeOperation = "source-over";
    this.draw();
    this.onchange?.();
  }

  stroke(from, to, erases) {
    const context = this.mask.getContext("2d");
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    context.strokeStyle = "#fff";
    context.lineCap = "round";
    context.lineWidth = this.brush.value;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x + 0.01, to.y);
    context.stroke();
    context.globalCompositeOperation = "source-over";
    this.draw();
    this.onchange?.();
  }

  listen() {
    const place = (event) => {
      const box = this.canvas.getBoundingClientRect();
      return { x: (event.clientX - box.left) * this.canvas.width / box.width, y: (event.clientY - box.top) * this.canvas.height / box.height };
    };
    let last = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      last = place(event);
      this.stroke(last, last, this.isErasing);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = place(event);
      this.stroke(last, next, this.isErasing);
      last = next;
    });
    for (const type of ["pointerup", "pointercancel"]) this.canvas.addEventListener(type, () => { last = null; });
    for (const type of ["focus", "blur"]) this.canvas.addEventListener(type, () => this.picture && this.draw());
    this.canvas.addEventListener("keydown", (event) => {
      const step = Math.max(1, this.brush.value / 2);
      const move = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (move) {
        this.cursor.x = Math.max(0, Math.min(this.canvas.width, this.cursor.x + move[0]));
        this.cursor.y = Math.max(0, Math.min(this.canvas.height, this.cursor.y + move[1]));
        this.draw();
      } else if (event.key === " " || event.key === "Backspace") {
        this.stroke(this.cursor, this.cursor, event.key === "Backspace");
      } else return;
      event.preventDefault();
    });
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    context.drawImage(this.picture, 0, 0, width, height);
    const tint = h("canvas", { width, height });
    const tinted = tint.getContext("2d");
    tinted.drawImage(this.mask, 0, 0);
    tinted.globalCompositeOperation = "source-in";
    tinted.fillStyle = "rgb(63, 79, 208)";
    tinted.fillRect(0, 0, width, height);
    context.globalAlpha = 0.6;
    context.drawImage(tint, 0, 0);
    context.globalAlpha = 1;
    if (document.activeElement === this.canvas && this.canvas.matches(":focus-visible")) {
      context.strokeStyle = "#fff";
      context.lineWidth = Math.max(1, width / 96);
      context.beginPath();
      context.arc(this.cursor.x, this.cursor.y, this.brush.value / 2, 0, 2 * Math.PI);
      context.stroke();
    }
  }

  /// The mask as a picture: white where it is painted, black elsewhere.
  async blob() {
    const { width, height } = this.mask;
    const canvas = h("canvas", { width, height });
    const context = canvas.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.drawImage(this.mask, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }
}
