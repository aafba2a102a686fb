// Train: the logs of runs, live, and several beside each other.

import { getJSON } from "./api.js";
import { fresh, h, significant, slider, tell } from "./dom.js";
import { Chart } from "./chart.js";

const pause = 2000;
const colors = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"].map((name) => `var(${name})`);

/// Charts: a title, and which numbers belong to it. What belongs to none gets its own.
const families = [
  { title: "Loss", names: ["loss", "validation.loss"] },
  { title: "Mean squared error", names: ["mse", "validation.mse"] },
  { title: "PSNR, validation (dB)", names: ["validation.psnr"] },
  { title: "SSIM, validation", names: ["validation.ssim"] },
  { title: "KL to the prior (nats a number)", names: ["kl", "validation.kl"] },
  { title: "KL per channel", pattern: /^kl\.\d+$/ },
  { title: "Error by noise level, validation", pattern: /^validation\.mse\.\d+$/ },
  { title: "Gradient norm", names: ["gradient_norm"] },
  { title: "Learning rate", names: ["learning_rate"] },
  { title: "Pictures a second", names: ["images_per_second"] },
];
const hidden = /^(kl_weight|validation\.(kl\.\d+|units))$/;

export function makeTrain(panel, studio) {
  const runs = new Map();
  let timer = null, isShown = false;
  const list = h("div", { class: "runs", role: "group", "aria-label": "Runs" });
  const charts = h("div", { class: "charts" });
  const samplesTitle = h("h2", { text: "Samples", hidden: true });
  const grids = h("div", { class: "sample-grids" });
  const empty = h("div", { class: "empty", hidden: true }, h("h2", { text: "No runs to watch" }),
    h("p", { text: "Name the folders of runs, or a folder that holds several, when you start the program:" }), h("pre", { text: "lvae studio MODEL-FOLDER…" }),
    h("p", { text: "Runs of lvae train and lvae diffuse-train are shown while they go on, and afterwards." }));
  const view = h("div", { class: "split" },
    h("div", { class: "controls" }, h("h2", { text: "Runs" }), list),
    h("div", { class: "work scroll" }, charts, samplesTitle, grids));
  panel.append(view, empty);
  const made = new Map();

  async function refresh() {
    try {
      const { runs: found } = await getJSON("/api/runs", { quiet: true });
      empty.hidden = found.length > 0;
      view.hidden = !found.length;
      for (const run of found) {
        if (!runs.has(run.id)) add(run);
      }
      await Promise.all([...runs.values()].filter((run) => run.isChosen && !(run.isRead && run.is_over)).map(read));
      draw();
    } catch (error) { tell(error.message); }
    clearTimeout(timer);
    if (isShown && [...runs.values()].some((run) => !run.is_over || !run.isRead)) timer = setTimeout(refresh, pause);
  }

  function add(run) {
    const color = colors[runs.size % colors.length];
    const box = h("input", { type: "checkbox", id: fresh("run"), checked: runs.size < 4, onchange: () => { entry.isChosen = box.checked; refresh(); } });
    const facts = h("p", { class: "hint" });
    const swatch = h("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = color;
    const entry = { ...run, color, facts, lines: 0, series: new Map(), isChosen: box.checked, isRead: false };
    runs.set(run.id, entry);
    list.append(h("div", { class: "run" }, box, h("div", {}, h("label", { for: box.id, title: run.path }, swatch, run.name), facts,
      run.settings ? h("details", {}, h("summary", { text: "Settings" }), h("pre", { tabindex: "0", text: JSON.stringify(run.settings, null, 2) })) : null)));
  }

  async function read(run) {
    const log = await getJSON(`/api/runs/${run.id}/log`, { parameters: { after: run.lines }, quiet: true });
    if (log.lines < run.lines) { run.lines = 0; run.series.clear(); return; }
    for (const { step, ...values } of log.entries) {
      run.step = Math.max(run.step ?? 0, step);
      for (const [name, value] of Object.entries(values)) {
        if (!run.series.has(name)) run.series.set(name, []);
        run.series.get(name).push([step, value ?? NaN]);
      }
    }
    run.lines += log.entries.length;
    run.isRead = run.lines >= log.lines;
    Object.assign(run, { is_over: log.is_over, samples: log.samples });
    const last = (name) => run.series.get(name)?.at(-1)?.[1];
    const parts = [`${run.step ?? 0} steps`, run.is_over ? "finished" : "unfinished"];
    if (last("loss") !== undefined) parts.push(`loss ${significant(last("loss"))}`);
    if (last("validation.psnr") !== undefined) parts.push(`${last("validation.psnr").toFixed(2)} dB`);
    run.facts.textContent = parts.join(" · ");
  }

  // MARK: Charts

  function draw() {
    const chosen = [...runs.values()].filter((run) => run.isChosen);
    const names = new Set(chosen.flatMap((run) => [...run.series.keys()]));
    const wanted = [];
    for (const family of families) {
      const own = [...names].filter((name) => family.names?.includes(name) || family.pattern?.test(name));
      if (own.length) wanted.push({ title: family.title, names: own, isOfChannels: Boolean(family.pattern) });
      for (const name of own) names.delete(name);
    }
    for (const name of names) if (!hidden.test(name)) wanted.push({ title: name.replaceAll("_", " "), names: [name] });
    for (const [title, chart] of made) if (!wanted.some((entry) => entry.title === title)) { chart.element.remove(); made.delete(title); }
    for (const { title, names: own, isOfChannels } of wanted) {
      if (!made.has(title)) { const chart = new Chart(title); made.set(title, chart); charts.append(chart.element); }
      if (isOfChannels) {
        const run = chosen.find((entry) => own.some((name) => entry.series.has(name)));
        made.get(title).show(channels(run, own), chosen.length > 1 ? `of ${run.name}` : "");
      } else made.get(title).show(numbers(chosen, own));
    }
    drawSamples(chosen);
  }

  function numbers(chosen, names) {
    return chosen.flatMap((run) => names.filter((name) => run.series.has(name)).map((name) => {
      const isValidation = name.startsWith("validation.");
      const label = names.length > 1 && isValidation ? "validation" : names.length > 1 ? "training" : "";
      return { name: [chosen.length > 1 ? run.name : "", label].filter(Boolean).join(" ") || name, color: run.color, points: run.series.get(name), isFaint: !isValidation && names.length > 1 };
    }));
  }

  /// A line a channel of one run.
  function channels(run, names) {
    return names.filter((name) => run.series.has(name)).map((name, index) => ({ name: name.split(".").at(-1), color: colors[index % colors.length], points: run.series.get(name), dash: ["", "5 3", "2 2", "8 3 2 3"][Math.floor(index / colors.length) % 4] }));
  }

  // MARK: Samples

  const shownSamples = new Map();
  function drawSamples(chosen) {
    for (const [id, entry] of shownSamples) if (!chosen.some((run) => run.id === id)) { entry.element.remove(); shownSamples.delete(id); }
    for (const run of chosen) {
      if (!run.samples?.length) continue;
      let entry = shownSamples.get(run.id);
      if (!entry) {
        const image = h("img", { alt: `Samples of ${run.name}` });
        const control = slider(run.name, { min: 0, max: 0, step: 1, value: 0, format: (value) => `step ${run.samples[value] ?? 0}`, oninput: (value) => { entry.follows = value === run.samples.length - 1; entry.show(value); } });
        entry = { element: h("figure", { class: "sample-grid" }, control.element, image), follows: true, count: 0 };
        entry.show = (value) => { image.src = `/api/runs/${run.id}/samples/${run.samples[value]}`; };
        entry.update = () => {
          if (entry.count === run.samples.length) return;
          entry.count = run.samples.length;
          control.input.max = String(run.samples.length - 1);
          if (entry.follows) { control.value = run.samples.length - 1; entry.show(run.samples.length - 1); }
        };
        shownSamples.set(run.id, entry);
        grids.append(entry.element);
      }
      entry.update();
    }
    samplesTitle.hidden = !shownSamples.size;
  }

  return {
    show() { isShown = true; refresh(); },
    hide() { isShown = false; clearTimeout(timer); },
  };
}
