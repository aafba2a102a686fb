// Compress: a picture beside what a latent keeps of it, at every storage.

import { getBlob, getJSON, getPicture, isAbort, postJSON } from "./api.js";
import { byteText, decimals, field, h, icon, icons, latest, menu, save, segmented, slider, takesFiles, tell } from "./dom.js";
import { Viewer } from "./viewer.js";
import { showSamples, takeSample } from "./samples.js";

const storageNotes = {
  f32: "32-bit floats: exact", f16: "16-bit floats", bf16: "16-bit floats, 8 significant bits",
  int8: "256 levels a channel", int6: "64 levels", int5: "32 levels", int4: "16 levels",
};

export function makeCompress(panel, studio) {
  const { info } = studio;
  let file = null, latent = null, shown = "decoded", results = null, references = new Map(), opening = null;

  // MARK: Controls

  const chooser = h("input", { type: "file", accept: "image/png,image/jpeg,image/webp,.latent", class: "visually-hidden", id: "compress-file", "aria-label": "A picture or .latent file", onchange: () => { if (chooser.files[0]) take(chooser.files[0]); chooser.value = ""; } });
  const name = h("p", { class: "file-name", text: "No picture yet" });
  const drop = h("div", { class: "drop" }, chooser,
    h("p", {}, h("label", { for: "compress-file", class: "button", text: "Choose a picture" })),
    h("p", { class: "hint", text: "or drop one here: PNG, JPEG, WebP or .latent" }), name);
  const samples = h("div", { class: "samples", role: "group", "aria-label": "Sample pictures" });
  const model = menu(info.autoencoders.map((entry) => [entry.name, `${entry.name} · ${entry.latent_channels} channels, 1/${entry.spatial_factor}`]), info.default_autoencoder, () => file && take(file));
  const storage = segmented("Storage", info.storages.map((value) => ({ value, label: value, title: storageNotes[value] })), "int8", () => refresh());
  const loss = slider("Loss allowed against f32", { min: 0, max: 1, step: 0.01, value: 0.1, format: (value) => `${value.toFixed(2)} dB`, oninput: () => refresh() });
  const picksSmallest = h("input", { type: "checkbox", id: "picks-smallest", onchange: () => { arrange(); refresh(); } });
  const values = segmented("Numbers kept", [{ value: "mean", label: "mean" }, { value: "sample", label: "sample" }, { value: "moments", label: "moments" }], "mean", () => refresh());
  const table = h("table", { class: "figures" }, h("caption", { text: "Size and likeness" }),
    h("thead", {}, h("tr", {}, ["", "size", "bpp", "ratio", "PSNR", "SSIM"].map((text) => h("th", { scope: "col", text })))), h("tbody"));
  const saveLatent = h("button", { type: "button", class: "button", disabled: true, onclick: () => download("file") }, icon(icons.save), "Save .latent");
  const savePicture = h("button", { type: "button", class: "button", disabled: true, onclick: () => download("reconstruction") }, icon(icons.save), "Save decoded PNG");
  const keep = h("button", { type: "button", class: "button", disabled: true, onclick: keepInWorkspace }, icon(icons.open), "Save to workspace");
  const header = h("details", { class: "header-details", hidden: true }, h("summary", { text: "Header of the file" }), h("pre", { tabindex: "0" }));
  const viewer = new Viewer({ label: "Original and decoded picture", right: "Decoded" });
  const views = segmented("Compare with", [
    { value: "decoded", label: "Decoded" }, { value: "errors", label: "Errors", title: "Root mean square of the differences: black 0, white 32 of 255" },
    { value: "jpeg", label: "JPEG" }, { value: "webp", label: "WebP" },
  ], "decoded", (value) => { shown = value; showRight(); });
  const legend = h("p", { class: "hint legend", "aria-live": "polite" });

  panel.append(h("div", { class: "split" },
    h("div", { class: "controls" }, drop, samples, field("Autoencoder", model), storage.element,
      h("div", { class: "check" }, picksSmallest, h("label", { for: picksSmallest.id, text: "Pick the smallest storage for a quality" })), loss.element, values.element,
      table, h("div", { class: "button-row" }, saveLatent, savePicture, info.has_workspace ? keep : null), header),
    h("div", { class: "work" }, views.element, viewer.element, legend)));
  takesFiles(panel, take);
  arrange();

  showSamples(samples, "Sample", take).then((names) => {
    if (!file && names.length) takeSample("coffee", take);
  });

  function arrange() {
    loss.element.hidden = !picksSmallest.checked;
    for (const input of storage.inputs.values()) input.disabled = picksSmallest.checked || latent?.origin === "file";
    picksSmallest.disabled = latent?.origin === "file";
    values.element.hidden = !latent?.has_posterior || latent?.origin === "file";
    views.element.hidden = latent?.origin === "file";
    for (const button of [saveLatent, savePicture, keep]) button.disabled = !latent;
  }

  // MARK: Opening

  async function take(next) {
    opening?.abort();
    const turn = (opening = new AbortController());
    try {
      const opened = await postJSON("/api/latents", { parameters: { model: model.value }, body: next, signal: turn.signal });
      if (turn.signal.aborted) return;
      file = next;
      latent = opened;
      results = null;
      references = new Map();
      name.textContent = `${next.name} · ${opened.width}×${opened.height} · ${byteText(next.size)}`;
      const isFile = opened.origin === "file";
      if (isFile) { shown = "decoded"; views.value = "decoded"; picksSmallest.checked = false; }
      header.hidden = !opened.header;
      header.lastChild.textContent = opened.header ? JSON.stringify(opened.header, null, 2) : "";
      if (opened.header) storage.value = opened.header.storage.type;
      arrange();
      const left = isFile ? null : await getPicture(`/api/latents/${opened.id}/original`, { signal: turn.signal });
      viewer.show({ left, right: null });
      await refresh();
    } catch (error) {
      if (!isAbort(error)) tell(`${next.name}: ${error.message}`);
    }
  }

  function parameters() {
    return {
      storage: picksSmallest.checked ? undefined : storage.value,
      max_loss: picksSmallest.checked ? loss.value : undefined,
      values: latent.has_posterior && latent.origin !== "file" ? values.value : undefined,
    };
  }

  // MARK: What the storage makes of it

  const refresh = latest(async () => {
    if (!latent) return;
    const { id } = latent;
    try {
      const wanted = parameters();
      const figures = await getJSON(`/api/latents/${id}/compressed`, { parameters: wanted });
      if (latent.id !== id) return;
      results = { figures, wanted };
      if (picksSmallest.checked) storage.value = figures.storage;
      fill();
      await showRight();
      if (latent.origin === "picture") await compare(id, figures.bytes);
    } catch (error) { reopenOrTell(error); }
  });

  /// The server keeps only so many latents: one that had to go is sent again.
  function reopenOrTell(error) {
    if (error.status === 404 && file && latent) { latent = null; take(file); } else if (!isAbort(error)) tell(error.message);
  }

  async function compare(id, byteCount) {
    const { references: found } = await getJSON(`/api/latents/${id}/references`, { parameters: { bytes: byteCount } });
    if (latent?.id !== id) return;
    references = new Map(found.map((entry) => [entry.codec, entry]));
    fill();
    if (shown === "jpeg" || shown === "webp") await showRight();
  }

  function fill() {
    const row = (label, entry, note) => h("tr", {}, h("th", { scope: "row" }, label, note ? h("small", { text: ` ${note}` }) : null),
      h("td", { text: byteText(entry.bytes) }), h("td", { text: decimals(entry.bits_per_pixel, 2) }), h("td", { text: `${decimals(entry.ratio, 1)}×` }),
      h("td", { text: entry.psnr === undefined ? "–" : entry.psnr === null ? "∞" : `${entry.psnr.toFixed(1)} dB` }),
      h("td", { text: typeof entry.ssim === "number" ? entry.ssim.toFixed(3) : "–" }));
    const rows = [row(".latent", results.figures, results.figures.storage)];
    if (latent.origin === "picture") {
      for (const [codec, label] of [["jpeg", "JPEG"], ["webp", "WebP"]]) {
        const entry = references.get(codec);
        if (entry) rows.push(row(label, entry, `q${entry.quality}`));
      }
    }
    table.tBodies[0].replaceChildren(...rows);
  }

  async function showRight() {
    if (!latent || !results) return;
    const { id } = latent;
    const labels = { left: "Original", right: { decoded: "Decoded", errors: "Errors", jpeg: "JPEG", webp: "WebP" }[shown] };
    try {
      let right;
      if (shown === "decoded") right = await getPicture(`/api/latents/${id}/reconstruction`, { parameters: results.wanted });
      else if (shown === "errors") right = await getPicture(`/api/latents/${id}/errors`, { parameters: results.wanted });
      else {
        const entry = references.get(shown);
        if (!entry) return;
        right = await getPicture(`/api/latents/${id}/references/${shown}`, { parameters: { quality: entry.quality } });
      }
      if (latent?.id !== id) return;
      viewer.show({ right, labels, keepsView: true });
      const entry = references.get(shown);
      legend.textContent = {
        decoded: `${latent.shape.join("×")} numbers as ${results.figures.storage}: ${byteText(results.figures.bytes)}.`,
        errors: "Differences in levels of 8 bits: black 0, red 11, yellow 21, white 32 and more.",
        jpeg: entry && `The JPEG whose size comes nearest: quality ${entry.quality}, ${byteText(entry.bytes)}.`,
        webp: entry && `The WebP whose size comes nearest: quality ${entry.quality}, ${byteText(entry.bytes)}.`,
      }[shown] ?? "";
    } catch (error) { reopenOrTell(error); }
  }

  // MARK: Saving

  const stem = () => file.name.replace(/\.[^.]*$/, "") || "picture";

  async function download(what) {
    try {
      const blob = await getBlob(`/api/latents/${latent.id}/${what}`, { parameters: results.wanted });
      save(blob, what === "file" ? `${stem()}.latent` : `${stem()}-decoded.png`);
    } catch (error) { reopenOrTell(error); }
  }

  async function keepInWorkspace() {
    try {
      const blob = await getBlob(`/api/latents/${latent.id}/file`, { parameters: results.wanted });
      const safe = stem().replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+/, "") || "picture";
      await postJSON(`/api/workspace/${safe}.latent`, { body: blob });
      tell(`${safe}.latent is in the workspace.`, "note");
    } catch (error) { reopenOrTell(error); }
  }

  return { take };
}
