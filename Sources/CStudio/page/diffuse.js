// Diffuse: new pictures from noise, step by step; or from a picture, or in a painted part of one.

import { events, getJSON, isAbort, remove } from "./api.js";
import { byteText, field, h, icon, icons, menu, save, slider, takesFiles, tell } from "./dom.js";
import { MaskEditor } from "./mask.js";
import { showSamples } from "./samples.js";

const source = (base64) => `data:image/png;base64,${base64}`;

async function base64(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let index = 0; index < bytes.length; index += 32768) text += String.fromCharCode(...bytes.subarray(index, index + 32768));
  return btoa(text);
}

export function makeDiffuse(panel, studio) {
  const { info } = studio;
  if (!info.diffusion.length) {
    panel.append(h("div", { class: "empty" }, h("h2", { text: "No diffusion model" }),
      h("p", { text: "This program was built without one. Name one when you start it:" }), h("pre", { text: "lvae studio --model FOLDER" })));
    return {};
  }
  let facts = null, initial = null, drawing = null, film = [], shown = -1;

  // MARK: Controls

  const model = menu(info.diffusion, info.default_diffusion, load);
  const className = menu([["", "each in turn"]], "");
  const count = slider("Pictures", { min: 1, max: Math.min(24, info.limits.pictures), step: 1, value: 6 });
  const steps = slider("Steps", { min: 1, max: Math.min(100, info.limits.steps), step: 1, value: info.default_steps });
  const guidance = slider("Guidance", { min: 1, max: 12, step: 0.25, value: info.default_guidance, format: (value) => value.toFixed(2) });
  const scheduler = menu([["", ""]], "", explain);
  const schedulerNote = h("p", { class: "hint" });
  const seed = h("input", { type: "number", min: "0", step: "1", value: "0" });
  const dice = h("button", { type: "button", class: "button", onclick: () => { seed.value = String(Math.floor(Math.random() * 1e9)); } }, "New seed");
  const draw = h("button", { type: "button", class: "button main", onclick: begin }, icon(icons.play), "Draw");
  const stop = h("button", { type: "button", class: "button", disabled: true, onclick: end }, icon(icons.stop), "Stop");

  const chooser = h("input", { type: "file", accept: "image/png,image/jpeg,image/webp", class: "visually-hidden", id: "diffuse-file", "aria-label": "A picture to change", onchange: () => { if (chooser.files[0]) take(chooser.files[0]); chooser.value = ""; } });
  const samples = h("div", { class: "samples", role: "group", "aria-label": "Sample pictures to change" });
  const drop = h("div", { class: "drop" }, chooser, h("p", {}, h("label", { for: "diffuse-file", class: "button", text: "Choose a picture to change" })), h("p", { class: "hint", text: "or drop one here" }));
  const strength = slider("Strength", { min: 0, max: 1, step: 0.05, value: 0.6, format: (value) => `${Math.round(value * 100)} % is lost` });
  const usesMask = h("input", { type: "checkbox", id: "uses-mask", onchange: arrange });
  const mask = new MaskEditor({});
  const forget = h("button", { type: "button", class: "button", onclick: () => { initial = null; arrange(); } }, icon(icons.erase), "Begin with noise instead");
  const changes = h("div", { class: "changes", hidden: true }, strength.element,
    h("div", { class: "check" }, usesMask, h("label", { for: usesMask.id, text: "Draw only a painted part anew" })), mask.element, forget);

  // MARK: The work

  const preview = h("img", { alt: "The picture as it is predicted at this step", hidden: true });
  const noisy = h("img", { alt: "The latent with its noise at this step", hidden: true });
  const hints = ["Press Draw: a picture forms here, step by step.", "Its latent is noise at first, and loses some of it with each step."].map((text) => h("p", { class: "hint", text }));
  const bar = h("progress", { max: "1", value: "0", "aria-label": "Steps done" });
  const state = h("p", { class: "hint state", role: "status", text: "Nothing drawn yet." });
  const filmStrip = h("div", { class: "film", role: "group", "aria-label": "Previews of the steps", hidden: true });
  const results = h("div", { class: "drawn", role: "list", "aria-label": "Drawn pictures" });
  const command = h("code", { tabindex: "0" });
  const copy = h("button", { type: "button", class: "button", onclick: copyCommand }, icon(icons.copy), "Copy");
  const saveInit = h("button", { type: "button", class: "button", onclick: () => save(drawing.initBlob, "init.png") }, icon(icons.save), "init.png");
  const saveMask = h("button", { type: "button", class: "button", onclick: () => save(drawing.maskBlob, "mask.png") }, icon(icons.save), "mask.png");
  const commandLine = h("div", { class: "command", hidden: true }, h("h2", { text: "The same pictures on the command line" }), h("div", { class: "command-line" }, command, copy, saveInit, saveMask));

  panel.append(h("div", { class: "split" },
    h("div", { class: "controls" },
      h("div", { class: "button-row stretch" }, draw, stop),
      info.diffusion.length > 1 ? field("Model", model) : null,
      field("Class", className), count.element, steps.element, guidance.element, field("Scheduler", scheduler), schedulerNote,
      h("div", { class: "field-row" }, field("Seed", seed), h("div", { class: "field end" }, dice)),
      h("section", { class: "group" }, h("h2", { text: "From a picture" }), drop, samples, changes)),
    h("div", { class: "work scroll" },
      h("div", { class: "pair" }, h("figure", {}, h("div", { class: "frame" }, hints[0], preview), h("figcaption", { text: "Predicted picture" })),
        h("figure", {}, h("div", { class: "frame" }, hints[1], noisy), h("figcaption", { text: "Noisy latent, projected to colours" }))),
      bar, state, filmStrip, h("h2", { text: "Drawn" }), results, commandLine)));
  takesFiles(panel, take);
  arrange();

  showSamples(samples, "Change the sample", take);
  load(info.default_diffusion);

  async function load(name) {
    try {
      facts = await getJSON(`/api/diffusion/${encodeURIComponent(name)}`);
      className.replaceChildren(h("option", { value: "", text: "each in turn" }), ...facts.classes.map((text) => h("option", { value: text, text })));
      className.disabled = !facts.classes.length;
      guidance.element.hidden = !facts.has_guidance;
      const own = facts.scheduler.replace(/Scheduler$/, "").replace(/(?<=\w)(?=[A-Z][a-z])/g, " ");
      scheduler.replaceChildren(h("option", { value: "", text: `the model's own (${own})` }), ...facts.schedulers.map((text) => h("option", { value: text, text })));
      explain();
    } catch (error) { tell(error.message); }
  }

  function explain() {
    schedulerNote.textContent = info.schedulers.find((entry) => entry.name === scheduler.value)?.explanation ?? "";
    schedulerNote.hidden = !schedulerNote.textContent;
  }

  function arrange() {
    changes.hidden = !initial;
    mask.element.hidden = !usesMask.checked;
    const isRunning = drawing?.isRunning ?? false;
    draw.disabled = isRunning;
    stop.disabled = !isRunning;
  }

  // MARK: A picture to change

  async function take(file) {
    try {
      const picture = await createImageBitmap(file);
      if (!facts) await load(model.value);
      const canvas = h("canvas", { width: facts.width, height: facts.height });
      const scale = Math.max(facts.width / picture.width, facts.height / picture.height);
      const context = canvas.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, facts.width, facts.height);
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, (facts.width - picture.width * scale) / 2, (facts.height - picture.height * scale) / 2, picture.width * scale, picture.height * scale);
      initial = canvas;
      mask.begin(canvas, facts.width, facts.height);
      arrange();
    } catch { tell(`${file.name}: this is no picture that the browser can read`); }
  }

  // MARK: Drawing

  async function begin() {
    if (drawing?.isRunning) return;
    const abort = new AbortController();
    const run = (drawing = { abort, isRunning: true, id: null, pictures: 0 });
    arrange();
    film = [];
    shown = -1;
    filmStrip.replaceChildren();
    results.replaceChildren();
    bar.value = 0;
    state.textContent = "Waiting for its turn…";
    const object = { model: model.value, count: count.value, steps: steps.value, guidance: guidance.value, seed: Math.max(0, Math.floor(Number(seed.value) || 0)) };
    if (className.value) object.class = className.value;
    if (scheduler.value) object.scheduler = scheduler.value;
    try {
      if (initial) {
        run.initBlob = await new Promise((resolve) => initial.toBlob(resolve, "image/png"));
        object.init_image = await base64(run.initBlob);
        object.strength = strength.value;
        if (usesMask.checked) {
          if (mask.isEmpty) throw new Error("Nothing is painted yet: paint on the picture what is to be drawn anew.");
          run.maskBlob = await mask.blob();
          object.mask_image = await base64(run.maskBlob);
        }
      }
      await events("/api/diffuse/stream", object, (name, data) => takeEvent(run, name, data), abort.signal);
    } catch (error) {
      if (isAbort(error)) state.textContent = "Stopped.";
      else { state.textContent = "Nothing was drawn."; tell(error.message); }
    } finally {
      run.isRunning = false;
      arrange();
    }
  }

  async function end() {
    const run = drawing;
    if (!run?.isRunning) return;
    state.textContent = "Stopping after this step…";
    if (!run.id) { run.abort.abort(); return; }
    try { await remove(`/api/diffuse/${run.id}`); } catch { run.abort.abort(); }
  }

  function takeEvent(run, name, data) {
    if (run !== drawing) return;
    if (name === "start") {
      Object.assign(run, { id: data.id, total: data.pictures * data.steps, steps: data.steps, count: data.pictures, first: performance.now() });
      command.textContent = data.command;
      commandLine.hidden = false;
      saveInit.hidden = !run.initBlob;
      saveMask.hidden = !run.maskBlob;
    } else if (name === "step") {
      bar.value = (run.pictures * data.steps + data.step) / run.total;
      state.textContent = `Picture ${run.pictures + 1} of ${run.count}, step ${data.step} of ${data.steps}, noise level ${Math.round(data.timestep)}`;
      if (data.step === 1) { film = []; filmStrip.replaceChildren(); }
      film.push(data);
      const index = film.length - 1;
      filmStrip.append(h("button", { type: "button", "aria-label": `Step ${data.step}`, title: `Step ${data.step}`, onclick: () => look(index) }, h("img", { src: source(data.preview), alt: "" })));
      filmStrip.scrollLeft = filmStrip.scrollWidth;
      look(index);
    } else if (name === "picture") {
      run.pictures++;
      const bytes = Math.round(data.png.length * 0.75);
      const label = `Picture ${data.picture}${data.class ? `, ${data.class}` : ""}`;
      const image = h("img", { src: source(data.png), alt: label });
      results.append(h("figure", { role: "listitem" }, image, h("figcaption", {}, h("span", { text: data.class ?? `no. ${data.picture}` }),
        h("button", { type: "button", class: "icon-button", "aria-label": `Save ${label}`, title: `Save (${byteText(bytes)})`, onclick: () => savePicture(data) }, icon(icons.save)))));
    } else if (name === "done") {
      state.textContent = `${run.count === 1 ? "1 picture" : `${run.count} pictures`} in ${data.seconds.toFixed(1)} s.`;
      bar.value = 1;
    } else if (name === "stopped") {
      state.textContent = `Stopped; ${run.pictures} of ${run.count} drawn.`;
    } else if (name === "error") {
      tell(data.detail);
      state.textContent = "It failed.";
    }
  }

  function savePicture(data) {
    const bytes = Uint8Array.from(atob(data.png), (character) => character.charCodeAt(0));
    save(new Blob([bytes], { type: "image/png" }), `drawn-${String(data.picture).padStart(4, "0")}.png`);
  }

  function look(index) {
    const data = film[index];
    preview.src = source(data.preview);
    noisy.src = source(data.noisy);
    preview.hidden = noisy.hidden = filmStrip.hidden = false;
    for (const hint of hints) hint.hidden = true;
    filmStrip.children[shown]?.classList.remove("shown");
    filmStrip.children[index]?.classList.add("shown");
    shown = index;
  }

  async function copyCommand() {
    try {
      await navigator.clipboard.writeText(command.textContent);
      tell("The command is in the clipboard.", "note");
    } catch {
      getSelection().selectAllChildren(command);
      tell("The browser keeps its clipboard closed; the command is selected: press Ctrl+C.", "note");
    }
  }

  return { take };
}
