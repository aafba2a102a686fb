// Latents: the channels as pictures, and edits that the decoded picture follows.

import { getBlob, getJSON, isAbort, postBlob, postBytes, postJSON } from "./api.js";
import { field, h, icon, icons, latest, menu, save, segmented, slider, takesFiles, tell } from "./dom.js";
import { ChannelGrid } from "./channels.js";
import { Viewer } from "./viewer.js";
import { showSamples, takeSample } from "./samples.js";

const sideLimit = 512;

export function makeLatents(panel, studio) {
  const { info } = studio;
  let latent = null, file = null, other = null, brush = null, opening = null, original = null;
  let factors = [], shifts = [], isPainting = false, idle = null;

  // MARK: Controls

  const chooser = h("input", { type: "file", accept: "image/png,image/jpeg,image/webp,.latent", class: "visually-hidden", id: "latents-file", "aria-label": "A picture or .latent file", onchange: () => { if (chooser.files[0]) take(chooser.files[0]); chooser.value = ""; } });
  const name = h("p", { class: "file-name", text: "No picture yet" });
  const drop = h("div", { class: "drop" }, chooser, h("p", {}, h("label", { for: "latents-file", class: "button", text: "Choose a picture" })),
    h("p", { class: "hint", text: "or drop a picture or .latent here" }), name);
  const samples = h("div", { class: "samples", role: "group", "aria-label": "Sample pictures" });
  const model = menu(info.autoencoders.map((entry) => [entry.name, `${entry.name} · ${entry.latent_channels} channels, 1/${entry.spatial_factor}`]), info.default_autoencoder, () => (file ? take(file) : fromPrior()));
  const seed = h("input", { type: "number", min: "0", step: "1", value: "0", onchange: () => (latent?.origin === "prior" ? fromPrior() : edited()) });
  const temperature = slider("Temperature", { min: 0, max: 1.5, step: 0.05, value: 1, format: (value) => value.toFixed(2), onchange: () => latent?.origin === "prior" && fromPrior() });
  const prior = h("button", { type: "button", class: "button", onclick: fromPrior }, "Draw from the prior");
  const noise = slider("Sample the posterior", { min: 0, max: 4, step: 0.05, value: 0, format: (value) => (value ? `${value.toFixed(2)} σ` : "mean"), oninput: edited });

  const channelTitle = h("h2", { text: "Channel 0" });
  const factor = slider("Multiply", { min: -2, max: 4, step: 0.05, value: 1, format: (value) => `× ${value.toFixed(2)}`, oninput: (value) => { factors[grid.chosen] = value; edited(); } });
  const shift = slider("Add", { min: -4, max: 4, step: 0.05, value: 0, format: (value) => `${value.toFixed(2)} σ`, oninput: (value) => { shifts[grid.chosen] = value; edited(); } });
  const zero = h("button", { type: "button", class: "button", onclick: () => setChannel(0, 0) }, "Zero");
  const restore = h("button", { type: "button", class: "button", onclick: () => setChannel(1, 0) }, "Restore");
  const tool = segmented("Pointer on the picture", [{ value: "move", label: "Zoom and pan" }, { value: "paint", label: "Paint the channel" }], "move", (value) => viewer.stage.classList.toggle("painting", value === "paint"));
  const strength = slider("Brush adds", { min: -4, max: 4, step: 0.1, value: 2, format: (value) => `${value.toFixed(1)} σ` });
  const radius = slider("Brush radius", { min: 0.5, max: 12, step: 0.5, value: 2.5, format: (value) => `${value} places` });
  const moves = h("div", { class: "moves" });
  const otherMenu = menu([["", "nothing"]], "", chooseOther);
  const place = slider("How far", { min: 0, max: 1, step: 0.01, value: 0.5, format: (value) => `${Math.round(value * 100)} %`, oninput: edited });
  const way = segmented("Way", [{ value: "slerp", label: "arc" }, { value: "lerp", label: "line" }], "slerp", edited);
  const reset = h("button", { type: "button", class: "button", onclick: () => { clear(); edited(); } }, "Reset all edits");
  const savePNG = h("button", { type: "button", class: "button", disabled: true, onclick: saveResult }, icon(icons.save), "Save PNG");
  const grid = new ChannelGrid({ onchoose: chooseChannel });
  const viewer = new Viewer({ label: "Before and after the edit", left: "Before", right: "Edited" });
  viewer.divide.value = "0";
  const timing = h("p", { class: "hint legend", role: "status" });
  const group = (title, ...children) => h("section", { class: "group" }, h("h2", { text: title }), children);

  panel.append(h("div", { class: "split" },
    h("div", { class: "controls" }, drop, samples, field("Autoencoder", model),
      h("section", { class: "group" }, channelTitle, h("p", { class: "hint", text: "Choose one below the picture; what is changed here changes all of it." }), factor.element, shift.element, h("div", { class: "button-row" }, zero, restore)),
      group("Brush", tool.element, strength.element, radius.element),
      group("Directions", h("p", { class: "hint", text: "Principal components of the sample pictures' latents, in standard deviations." }), moves),
      group("Towards another picture", field("Picture", otherMenu), place.element, way.element),
      group("Random", noise.element, temperature.element, h("div", { class: "field-row" }, field("Seed", seed), h("div", { class: "field end" }, prior))),
      h("div", { class: "button-row" }, reset, savePNG)),
    h("div", { class: "work" }, viewer.element, timing, grid.element)));
  takesFiles(panel, take);

  showSamples(samples, "Sample", take).then((names) => {
    for (const sample of names) otherMenu.append(h("option", { value: sample, text: sample }));
    if (!file && names.length) takeSample("cat", take);
  });

  // MARK: Opening

  /// Pictures lie on white, and large ones are made smaller, so that they keep up with the pointer.
  async function reduced(next) {
    if (next.name.endsWith(".latent")) return next;
    const picture = await createImageBitmap(next);
    const scale = Math.min(1, sideLimit / Math.max(picture.width, picture.height));
    return drawn(picture, Math.round(picture.width * scale), Math.round(picture.height * scale));
  }

  /// A picture's middle in another size, on white, as PNG.
  function drawn(picture, width, height) {
    const canvas = h("canvas", { width, height });
    const scale = Math.max(width / picture.width, height / picture.height);
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, (width - picture.width * scale) / 2, (height - picture.height * scale) / 2, picture.width * scale, picture.height * scale);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  async function take(next) {
    opening?.abort();
    const turn = (opening = new AbortController());
    try {
      const body = await reduced(next).catch(() => next);
      const opened = await postJSON("/api/latents", { parameters: { model: model.value }, body, signal: turn.signal });
      if (turn.signal.aborted) return;
      file = next;
      name.textContent = `${next.name} · ${opened.width}×${opened.height} · ${opened.shape.join("×")} numbers`;
      await begin(opened);
    } catch (error) {
      if (!isAbort(error)) tell(`${next.name}: ${error.message}`);
    }
  }

  async function fromPrior() {
    opening?.abort();
    const turn = (opening = new AbortController());
    const entry = info.autoencoders.find((known) => known.name === model.value);
    const side = entry.spatial_factor >= 8 ? 256 : 128;
    try {
      const opened = await postJSON("/api/latents/sample", { parameters: { model: model.value, seed: seed.value || 0, temperature: temperature.value, width: side, height: side }, signal: turn.signal });
      if (turn.signal.aborted) return;
      file = null;
      name.textContent = `drawn from the prior, seed ${seed.value || 0} · ${side}×${side}`;
      await begin(opened);
    } catch (error) { if (!isAbort(error)) tell(error.message); }
  }

  async function begin(opened) {
    latent = opened;
    clear();
    grid.reset(opened.channels);
    noise.element.hidden = !opened.has_posterior;
    savePNG.disabled = false;
    original = await createImageBitmap(await postBlob(`/api/latents/${opened.id}/picture`));
    viewer.show({ left: original, right: original });
    loadDirections(opened.id);
    await edited();
  }

  function clear() {
    const count = latent?.channels.length ?? 0;
    factors = new Array(count).fill(1);
    shifts = new Array(count).fill(0);
    brush = latent ? new Float32Array(latent.shape[0] * latent.shape[1] * latent.shape[2]) : null;
    noise.value = 0;
    for (const control of moveSliders) control.value = 0;
    other = null;
    otherMenu.value = "";
    arrange();
    chooseChannel(grid.chosen);
  }

  function arrange() {
    // Without another picture there is no way to it.
    place.element.hidden = way.element.hidden = !otherMenu.value;
  }

  // MARK: Edits

  function chooseChannel(index) {
    channelTitle.textContent = `Channel ${index}`;
    factor.value = factors[index] ?? 1;
    shift.value = shifts[index] ?? 0;
  }

  function setChannel(multiplied, added) {
    factors[grid.chosen] = multiplied;
    shifts[grid.chosen] = added;
    chooseChannel(grid.chosen);
    edited();
  }

  let moveSliders = [];
  async function loadDirections(id) {
    try {
      const { directions } = await getJSON(`/api/latents/${id}/directions`);
      if (latent?.id !== id) return;
      moveSliders = directions.slice(0, 6).map((direction, index) =>
        slider(`${index + 1} · ${Math.round(direction.explained_variance * 100)} % of the variance`, { min: -4, max: 4, step: 0.05, value: 0, format: (value) => `${value.toFixed(2)} σ`, oninput: edited }));
      moves.replaceChildren(...moveSliders.map((control) => control.element));
    } catch (error) { if (error.status !== 404) tell(error.message); }
  }

  async function chooseOther(sample) {
    arrange();
    if (!sample) { other = null; edited(); return; }
    const { id, width, height } = latent;
    try {
      const picture = await createImageBitmap(await getBlob(`/api/samples/${sample}`));
      const opened = await postJSON("/api/latents", { parameters: { model: latent.model }, body: await drawn(picture, width, height) });
      if (latent.id !== id) return;
      other = opened;
      edited();
    } catch (error) { tell(error.message); }
  }

  function parameters() {
    const moved = moveSliders.map((control, index) => [index + 1, control.value]).filter(([, amount]) => amount !== 0);
    return {
      noise: latent.has_posterior && noise.value > 0 ? noise.value : undefined,
      seed: noise.value > 0 ? seed.value || 0 : undefined,
      with: other?.id, t: other ? place.value : undefined, way: other ? way.value : undefined,
      scale: factors.some((value) => value !== 1) ? factors.join(",") : undefined,
      shift: shifts.some((value) => value !== 0) ? shifts.join(",") : undefined,
      move: moved.length ? moved.map((pair) => pair.join(":")).join(",") : undefined,
    };
  }

  const body = () => (brush.some((value) => value !== 0) ? brush : undefined);

  /// Asks for the picture of the newest edit, and then for its numbers.
  const render = latest(async () => {
    if (!latent) return;
    const { id, shape } = latent;
    try {
      const begin = performance.now();
      const wanted = parameters();
      const blob = await postBlob(`/api/latents/${id}/picture`, { parameters: { ...wanted, format: "jpeg", quality: 95 }, body: body(), quiet: true });
      const picture = await createImageBitmap(blob);
      if (latent?.id !== id) return;
      viewer.show({ right: picture, keepsView: true });
      timing.textContent = `Decoded in ${Math.round(performance.now() - begin)} ms, there and back.`;
      const values = new Float32Array(await postBytes(`/api/latents/${id}/values`, { parameters: wanted, body: body(), quiet: true }));
      if (latent?.id === id) grid.show(values, shape[2], shape[1]);
    } catch (error) {
      if (error.status === 404 && file) { latent = null; take(file); } else if (error.status !== 429) tell(error.message);
    }
  });

  function edited() {
    // What is shown after a drag is exact: PNG instead of JPEG.
    clearTimeout(idle);
    idle = setTimeout(async () => {
      if (!latent) return;
      const { id } = latent;
      try {
        const picture = await createImageBitmap(await postBlob(`/api/latents/${id}/picture`, { parameters: parameters(), body: body(), quiet: true }));
        if (latent?.id === id) viewer.show({ right: picture, keepsView: true });
      } catch { /* the next edit says what is wrong */ }
    }, 700);
    return render();
  }

  async function saveResult() {
    try {
      save(await postBlob(`/api/latents/${latent.id}/picture`, { parameters: parameters(), body: body() }), "edited.png");
    } catch (error) { tell(error.message); }
  }

  // MARK: Painting

  function paint(event) {
    const box = viewer.stage.getBoundingClientRect();
    const [, rows, columns] = latent.shape;
    const factorOfSize = latent.spatial_factor;
    const x = ((event.clientX - box.left - box.width / 2) / viewer.scale + viewer.center.x) / factorOfSize - 0.5;
    const y = ((event.clientY - box.top - box.height / 2) / viewer.scale + viewer.center.y) / factorOfSize - 0.5;
    const reach = radius.value, channel = grid.chosen;
    const deviation = Math.sqrt(latent.channels[channel].variance);
    const wanted = strength.value * deviation;
    for (let row = Math.max(0, Math.ceil(y - reach)); row <= Math.min(rows - 1, y + reach); row++) {
      for (let column = Math.max(0, Math.ceil(x - reach)); column <= Math.min(columns - 1, x + reach); column++) {
        const distance = Math.hypot(row - y, column - x) / reach;
        if (distance > 1) continue;
        const index = (channel * rows + row) * columns + column;
        // Strokes over the same place don't add up beyond the brush's strength.
        const target = wanted * (1 - distance * distance);
        if (Math.abs(target) > Math.abs(brush[index]) || Math.sign(target) !== Math.sign(brush[index])) brush[index] = target;
      }
    }
    edited();
  }

  viewer.stage.addEventListener("pointerdown", (event) => {
    if (tool.value !== "paint" || !latent || event.button > 0) return;
    event.stopImmediatePropagation();
    isPainting = true;
    viewer.stage.setPointerCapture(event.pointerId);
    paint(event);
  }, { capture: true });
  viewer.stage.addEventListener("pointermove", (event) => {
    if (tool.value !== "paint") return;
    event.stopImmediatePropagation();
    if (isPainting) paint(event);
  }, { capture: true });
  for (const type of ["pointerup", "pointercancel"]) viewer.stage.addEventListener(type, () => { isPainting = false; }, { capture: true });

  return { take };
}
