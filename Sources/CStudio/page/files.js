// Files: the pictures and `.latent` files of the folders on the command line; only what is seen is built.

import { getBlob, getJSON } from "./api.js";
import { byteText, field, fresh, h, tell } from "./dom.js";

const cell = { width: 148, height: 162 };

export function makeFiles(panel, studio) {
  let files = [], chosen = [], active = 0, columns = 1, settling = null;
  const cells = new Map();
  const filter = h("input", { type: "text", placeholder: "part of a name", autocomplete: "off", spellcheck: "false", oninput: () => choose() });
  const kinds = h("select", { onchange: () => choose() }, [["", "all"], ["latent", ".latent files"], ["picture", "pictures"]].map(([value, text]) => h("option", { value, text })));
  const count = h("p", { class: "hint", role: "status" });
  const spacer = h("div", { class: "spacer", role: "presentation" });
  const list = h("div", { class: "file-list", tabindex: "0", role: "listbox", "aria-label": "Files" }, spacer);
  const facts = h("div", { class: "facts" }, h("p", { class: "hint", text: "Choose a file to see what it says about itself." }));
  const view = h("div", { class: "files" },
    h("div", { class: "files-main" }, h("div", { class: "files-bar" }, field("Find", filter), field("Kind", kinds), count,
      h("button", { type: "button", class: "button", onclick: load }, "Look again")), list),
    h("aside", { class: "files-side", "aria-label": "The chosen file" }, facts));
  const empty = h("div", { class: "empty", hidden: true }, h("h2", { text: "No folders to look through" }),
    h("p", { text: "Name folders with pictures or .latent files when you start the program; no others can be seen from here:" }), h("pre", { text: "lvae studio FOLDER…" }));
  panel.append(view, empty);
  view.hidden = !studio.info.has_folders;
  empty.hidden = studio.info.has_folders;

  async function load() {
    if (!studio.info.has_folders) return;
    try {
      files = (await getJSON("/api/files")).files;
      choose();
    } catch (error) { tell(error.message); }
  }

  function choose() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    chosen = files.filter((file) => (!kinds.value || file.kind === kinds.value) && words.every((word) => file.name.toLowerCase().includes(word)));
    count.textContent = chosen.length === files.length ? `${files.length} files` : `${chosen.length} of ${files.length} files`;
    active = Math.min(active, Math.max(0, chosen.length - 1));
    for (const element of cells.values()) element.remove();
    cells.clear();
    list.scrollTop = 0;
    layOut();
  }

  // MARK: The list

  function layOut() {
    columns = Math.max(1, Math.floor(list.clientWidth / cell.width));
    spacer.style.height = `${Math.ceil(chosen.length / columns) * cell.height}px`;
    draw();
  }

  function draw() {
    const width = list.clientWidth / columns;
    const first = Math.max(0, Math.floor(list.scrollTop / cell.height) - 1) * columns;
    const last = Math.min(chosen.length, (Math.ceil((list.scrollTop + list.clientHeight) / cell.height) + 1) * columns);
    for (const [index, element] of cells) if (index < first || index >= last) { element.querySelector("img")?.removeAttribute("src"); element.remove(); cells.delete(index); }
    for (let index = first; index < last; index++) {
      let element = cells.get(index);
      if (!element) { element = build(index); cells.set(index, element); spacer.append(element); }
      element.style.transform = `translate(${(index % columns) * width}px, ${Math.floor(index / columns) * cell.height}px)`;
      element.style.width = `${width}px`;
    }
    mark();
    // While the list runs past, nothing is fetched.
    clearTimeout(settling);
    settling = setTimeout(() => {
      for (const [index, element] of cells) {
        const image = element.querySelector("img");
        if (image && !image.hasAttribute("src")) image.src = `/api/files/${chosen[index].id}/thumbnail`;
      }
    }, 60);
  }

  function build(index) {
    const file = chosen[index];
    const name = file.name.split("/").at(-1);
    const image = h("img", { alt: "", decoding: "async" });
    image.addEventListener("error", () => { if (image.hasAttribute("src")) image.replaceWith(h("span", { class: "no-thumbnail", text: file.kind === "latent" ? ".latent" : "?" })); });
    return h("div", { class: "file", role: "option", id: fresh("file"), "aria-setsize": String(chosen.length), "aria-posinset": String(index + 1), "aria-label": file.name, title: file.name, onclick: () => { active = index; mark(); look(file); } },
      h("div", { class: `thumbnail ${file.kind}` }, image), h("span", { class: "file-label", text: name }));
  }

  function mark() {
    for (const [index, element] of cells) element.setAttribute("aria-selected", String(index === active));
    const element = cells.get(active);
    if (element) list.setAttribute("aria-activedescendant", element.id); else list.removeAttribute("aria-activedescendant");
  }

  let frame = 0;
  list.addEventListener("scroll", () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; draw(); }); });
  list.addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor(list.clientHeight / cell.height)) * columns;
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === "Enter" || event.key === " ") { if (chosen[active]) look(chosen[active]); }
    else if (event.key in moves) {
      active = Math.max(0, Math.min(chosen.length - 1, active + moves[event.key]));
      const top = Math.floor(active / columns) * cell.height;
      if (top < list.scrollTop) list.scrollTop = top;
      else if (top + cell.height > list.scrollTop + list.clientHeight) list.scrollTop = top + cell.height - list.clientHeight;
      draw();
    } else return;
    event.preventDefault();
  });
  new ResizeObserver(layOut).observe(list);

  // MARK: One file

  async function look(file) {
    try {
      const found = await getJSON(`/api/files/${file.id}`);
      const rows = [["Size", byteText(found.bytes)]];
      if (found.kind === "latent") {
        const { header } = found;
        const [channels, height, width] = header.latent.shape;
        rows.push(["Model", `${header.model.name} (${header.model.class})`], ["Weights", `${header.model.sha256.slice(0, 12)}…`], ["Latent", `${channels}×${height}×${width}, ${header.latent.values}, 1/${header.latent.spatial_factor}`],
          ["Storage", `${header.storage.type}, ${byteText(found.payload_bytes)} unpacked`]);
        if (header.source) rows.push(["Picture", `${header.source.width}×${header.source.height}, ${header.source.colour}${header.source.format ? `, from ${header.source.format}` : ""}`], ["Bits per pixel", ((found.bytes * 8) / (header.source.width * header.source.height)).toFixed(3)]);
        rows.push(["Written by", header.program]);
      } else rows.push(["Picture", `${found.width}×${found.height}`]);
      const open = (view, text) => h("button", { type: "button", class: "button", onclick: () => hand(file, view) }, text);
      facts.replaceChildren(h("h2", { text: found.name }), h("div", { class: `large ${file.kind}` }, h("img", { src: `/api/files/${file.id}/thumbnail`, alt: `Thumbnail of ${found.name}` })),
        h("dl", {}, rows.flatMap(([name, value]) => [h("dt", { text: name }), h("dd", { text: value })])),
        h("div", { class: "button-row" }, open("compress", "Open in Compress"), open("latents", "Open in Latents"), file.kind === "picture" ? open("diffuse", "Change in Diffuse") : null),
        found.header || found.settings ? h("details", {}, h("summary", { text: found.header ? "Whole header" : "How it was made" }), h("pre", { tabindex: "0", text: JSON.stringify(found.header ?? found.settings, null, 2) })) : "");
    } catch (error) { tell(`${file.name}: ${error.message}`); }
  }

  async function hand(file, view) {
    try {
      const blob = await getBlob(`/api/files/${file.id}/content`);
      studio.open(view, new File([blob], file.name.split("/").at(-1), { type: blob.type }));
    } catch (error) { tell(`${file.name}: ${error.message}`); }
  }

  let isLoaded = false;
  return { show() { if (!isLoaded) { isLoaded = true; load(); } else layOut(); } };
}
