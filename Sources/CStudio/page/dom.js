// Small helpers for building the page: elements, numbers as text, messages.

/// An element with attributes (`onclick` and so on are listeners) and children.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "text") element.textContent = value;
    else if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/// An icon of one path in a 24×24 box.
export function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const shape = document.createElementNS(space, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("width", "18");
  svg.setAttribute("height", "18");
  svg.setAttribute("aria-hidden", "true");
  shape.setAttribute("d", path);
  shape.setAttribute("fill", "none");
  shape.setAttribute("stroke", "currentColor");
  shape.setAttribute("stroke-width", "1.8");
  shape.setAttribute("stroke-linecap", "round");
  shape.setAttribute("stroke-linejoin", "round");
  svg.append(shape);
  return svg;
}

export const icons = {
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  save: "M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 20h14",
  copy: "M9 9h10v10H9zM5 15V5h10",
  open: "M4 18V6h5l2 2h9v10z",
  stop: "M7 7h10v10H7z",
  play: "M8 5.5v13l10-6.5z",
  erase: "M5 5l14 14M19 5 5 19",
};

let counter = 0;
/// An identifier that no other element has.
export const fresh = (prefix) => `${prefix}-${++counter}`;

/// A control with its label above it.
export function field(label, control, hint) {
  control.id ||= fresh("field");
  const parts = [h("label", { for: control.id, text: label }), control];
  if (hint) {
    const note = h("p", { class: "hint", id: `${control.id}-hint`, text: hint });
    control.setAttribute("aria-describedby", note.id);
    parts.push(note);
  }
  return h("div", { class: "field" }, parts);
}

/// A slider with its label and its value beside it; `element.value` reads and sets it.
export function slider(label, { min, max, step, value, format = String, oninput, onchange }) {
  const input = h("input", { type: "range", min: String(min), max: String(max), step: String(step), value: String(value), id: fresh("slider") });
  const output = h("output", { for: input.id });
  const show = () => {
    output.textContent = format(Number(input.value)).replace("-", "−");
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { show(); oninput?.(Number(input.value)); });
  input.addEventListener("change", () => onchange?.(Number(input.value)));
  show();
  const element = h("div", { class: "field slider" }, h("div", { class: "slider-head" }, h("label", { for: input.id, text: label }), output), input);
  return {
    element, input,
    get value() { return Number(input.value); },
    set value(next) { input.value = String(next); show(); },
  };
}

/// Radio buttons in a row, of which one is chosen.
export function segmented(legend, choices, chosen, onchange) {
  const name = fresh("choice");
  const inputs = new Map();
  const labels = choices.map(({ value, label, title }) => {
    const input = h("input", { type: "radio", name, value, id: `${name}-${value}`, checked: value === chosen });
    input.addEventListener("change", () => input.checked && onchange(value));
    inputs.set(value, input);
    return h("label", { for: input.id, title }, input, h("span", { text: label, "data-text": label }));
  });
  const element = h("fieldset", { class: "segmented" }, h("legend", { text: legend }), h("div", { class: "segments" }, labels));
  return {
    element, inputs,
    get value() { return [...inputs.values()].find((input) => input.checked)?.value; },
    set value(next) { const input = inputs.get(next); if (input) input.checked = true; },
  };
}

/// A menu of names.
export function menu(options, chosen, onchange) {
  const select = h("select", {}, options.map((option) => {
    const [value, label] = Array.isArray(option) ? option : [option, option];
    return h("option", { value, selected: value === chosen, text: label });
  }));
  select.addEventListener("change", () => onchange?.(select.value));
  return select;
}

// Numbers as text.

export const decimals = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : "–");

export function byteText(count) {
  if (!(count >= 0)) return "–";
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB"];
  let value = count / 1000, unit = 0;
  while (value >= 1000 && unit < 2) { value /= 1000; unit++; }
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

export function significant(value, digits = 3) {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
}

// Messages.

/// Says what went wrong, until it is dismissed or a while has gone by.
export function tell(text, kind = "error") {
  const region = document.getElementById("messages");
  if ([...region.children].some((child) => child.dataset.text === text)) return;
  const message = h("div", { class: `message ${kind}` }, h("p", { text }),
    h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: () => message.remove() }, icon(icons.erase)));
  message.dataset.text = text;
  region.append(message);
  setTimeout(() => message.remove(), kind === "error" ? 12000 : 4000);
}

/// Offers bytes as a file.
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/// Calls `body` with the newest arguments, one call at a time: what comes meanwhile replaces what waits.
export function latest(body) {
  let running = false, waiting = null;
  return async function run(...parameters) {
    if (running) { waiting = parameters; return; }
    running = true;
    try { await body(...parameters); } finally { running = false; }
    if (waiting) { const next = waiting; waiting = null; run(...next); }
  };
}

/// Takes files that are dropped on an element; one button in it opens the file chooser.
export function takesFiles(element, ontake) {
  let depth = 0;
  element.addEventListener("dragenter", (event) => { event.preventDefault(); depth++; element.classList.add("dropping"); });
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("dragleave", () => { if (--depth <= 0) { depth = 0; element.classList.remove("dropping"); } });
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    element.classList.remove("dropping");
    const file = event.dataTransfer?.files?.[0];
    if (file) ontake(file);
  });
}
