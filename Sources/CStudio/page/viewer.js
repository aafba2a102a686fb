// Two pictures in one frame with a movable divide between them; zoom and pan move both in step.

import { h, icon, icons, fresh } from "./dom.js";

const smallest = 0.05, largest = 64;

export class Viewer {
  constructor({ label, left = "Original", right = "Decoded" }) {
    this.labels = { left, right };
    this.canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": `${label}. Arrow keys pan, plus and minus zoom, 0 fits.` });
    this.divide = h("input", { type: "range", min: "0", max: "1000", value: "500", id: fresh("divide"), "aria-label": "Divide between original and result" });
    this.zoomText = h("span", { class: "zoom-text", text: "100 %" });
    const button = (name, text, action) => h("button", { type: "button", class: "icon-button", "aria-label": text, title: text, onclick: action }, icon(icons[name]));
    this.tools = h("div", { class: "viewer-tools" },
      button("minus", "Zoom out", () => this.zoomBy(1 / 1.5)), this.zoomText,
      button("plus", "Zoom in", () => this.zoomBy(1.5)), button("fit", "Fit", () => this.fit()),
      h("button", { type: "button", class: "text-button", "aria-label": "One pixel of the picture for one of the screen", text: "1:1", onclick: () => this.zoomTo(1 / (window.devicePixelRatio || 1)) }));
    this.tags = h("div", { class: "viewer-tags", "aria-hidden": "true" }, h("span", { class: "tag-left" }), h("span", { class: "tag-right" }));
    this.stage = h("div", { class: "stage" }, this.canvas, this.tags);
    this.element = h("div", { class: "viewer" }, this.stage,
      h("div", { class: "viewer-bar" }, h("div", { class: "divide" }, this.divide), this.tools));
    this.scale = 1;
    this.center = { x: 0, y: 0 };
    this.pictures = { left: null, right: null };
    this.isFitted = true;
    this.divide.addEventListener("input", () => this.draw());
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.stage);
  }

  /// Shows pictures; where one is missing, the other fills the frame.
  show({ left, right, labels, keepsView }) {
    const old = this.size;
    if (left !== undefined) this.pictures.left = left;
    if (right !== undefined) this.pictures.right = right;
    if (labels) this.labels = labels;
    const size = this.size;
    const isNew = !old || !size || old.width !== size.width || old.height !== size.height;
    if (isNew && !keepsView || this.isFitted) this.fit(); else this.draw();
  }

  get size() {
    const picture = this.pictures.left ?? this.pictures.right;
    return picture ? { width: picture.width, height: picture.height } : null;
  }

  get split() {
    if (!this.pictures.left) return 0;
    return this.pictures.right ? Number(this.divide.value) / 1000 : 1;
  }

  /// Where the grip of the divide is, all of it within the frame.
  get grip() {
    const width = this.stage.clientWidth;
    return Math.min(Math.max(this.split * width, 14), width - 14);
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.stage;
    if (!width || !height) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    if (this.isFitted) this.fit(); else this.draw();
  }

  fit() {
    const size = this.size;
    this.isFitted = true;
    if (!size || !this.stage.clientWidth) return;
    const margin = 24;
    this.scale = Math.min((this.stage.clientWidth - margin) / size.width, (this.stage.clientHeight - margin) / size.height);
    this.scale = Math.min(Math.max(this.scale, smallest), 8);
    this.center = { x: size.width / 2, y: size.height / 2 };
    this.draw();
  }

  zoomTo(scale, at) {
    const { clientWidth: width, clientHeight: height } = this.stage;
    const point = at ?? { x: width / 2, y: height / 2 };
    const next = Math.min(Math.max(scale, smallest), largest);
    // The point of the picture below the pointer stays there.
    const factor = 1 / this.scale - 1 / next;
    this.center.x += (point.x - width / 2) * factor;
    this.center.y += (point.y - height / 2) * factor;
    this.scale = next;
    this.isFitted = false;
    this.draw();
  }

  zoomBy(factor, at) { this.zoomTo(this.scale * factor, at); }

  pan(x, y) {
    this.center.x -= x / this.scale;
    this.center.y -= y / this.scale;
    this.isFitted = false;
    this.draw();
  }

  listen() {
    const place = (event) => {
      const box = this.stage.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const pointers = new Map();
    let grip = null, spread = 0;
    this.stage.addEventListener("wheel", (event) => {
      if (!this.size) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), place(event));
    }, { passive: false });
    this.stage.addEventListener("pointerdown", (event) => {
      if (!this.size || event.button > 0) return;
      this.stage.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
      const both = this.pictures.left && this.pictures.right;
      grip = both && pointers.size === 1 && Math.abs(place(event).x - this.grip) < 18 ? "divide" : "pan";
      spread = 0;
    });
    this.stage.addEventListener("pointermove", (event) => {
      const point = place(event);
      const near = this.pictures.left && this.pictures.right && Math.abs(point.x - this.grip) < 18;
      this.stage.classList.toggle("near-divide", Boolean(near) && !pointers.size);
      const old = pointers.get(event.pointerId);
      if (!old) return;
      pointers.set(event.pointerId, point);
      if (pointers.size === 2) {
        const [a, b] = [...pointers.values()];
        const now = Math.hypot(a.x - b.x, a.y - b.y);
        if (spread) this.zoomBy(now / spread, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
        spread = now;
      } else if (grip === "divide") {
        this.divide.value = String(Math.round((point.x / this.stage.clientWidth) * 1000));
        this.draw();
      } else {
        this.pan(point.x - old.x, point.y - old.y);
      }
    });
    for (const name of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(name, (event) => { pointers.delete(event.pointerId); spread = 0; });
    }
    this.canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };
      if (moves[event.key]) this.pan(...moves[event.key]);
      else if (event.key === "+" || event.key === "=") this.zoomBy(1.25);
      else if (event.key === "-") this.zoomBy(0.8);
      else if (event.key === "0") this.fit();
      else return;
      event.preventDefault();
    });
  }

  draw() {
    const context = this.canvas.getContext("2d");
    const ratio = window.devicePixelRatio || 1;
    const { width, height } = this.canvas;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const { left, right } = this.pictures;
    const size = this.size;
    // A side that is all but covered has no name.
    this.tags.children[0].textContent = left && this.split > 0.04 ? this.labels.left : "";
    this.tags.children[1].textContent = right && this.split < 0.96 ? this.labels.right : "";
    this.divide.disabled = !(left && right);
    if (!size) return;
    const scale = this.scale * ratio;
    const x = width / 2 - this.center.x * scale, y = height / 2 - this.center.y * scale;
    const line = Math.round(this.split * width);
    context.imageSmoothingEnabled = scale < 5;
    context.imageSmoothingQuality = "high";
    const part = (picture, from, to) => {
      if (!picture || to <= from) return;
      context.save();
      context.beginPath();
      context.rect(from, 0, to - from, height);
      context.clip();
      context.drawImage(picture, x, y, size.width * scale, size.height * scale);
      context.restore();
    };
    part(left, 0, line);
    part(right, line, width);
    if (left && right) {
      context.fillStyle = "rgba(0,0,0,.45)";
      context.fillRect(line - 1.5 * ratio, 0, 3 * ratio, height);
      context.fillStyle = "#fff";
      context.fillRect(line - 0.75 * ratio, 0, 1.5 * ratio, height);
      const grip = this.grip * ratio;
      context.beginPath();
      context.arc(grip, height / 2, 11 * ratio, 0, 2 * Math.PI);
      context.shadowColor = "rgba(0,0,0,.5)";
      context.shadowBlur = 6 * ratio;
      context.fill();
      context.shadowBlur = 0;
      context.strokeStyle = "#3b4252";
      context.lineWidth = 1.6 * ratio;
      context.beginPath();
      for (const side of [-1, 1]) {
        context.moveTo(grip + side * 3 * ratio, height / 2 - 3.5 * ratio);
        context.lineTo(grip + side * 6.5 * ratio, height / 2);
        context.lineTo(grip + side * 3 * ratio, height / 2 + 3.5 * ratio);
      }
      context.stroke();
    }
    this.zoomText.textContent = `${Math.round(scale * 100)} %`;
  }
}
