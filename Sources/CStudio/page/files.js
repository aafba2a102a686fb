// Files: the pictures and `.latent` files of the folders on the command line; only what is seen is built.

import { getBlob, getJSON } from "./api.js";
import { byteText, field, fresh, h, tell } from "./dom.js";

const cell = { width: 148, height: 162 };
// How many thumbnails are asked for at a time: as many as a browser opens connections, and fewer in motion.
const thumbnailsAtOnce = 6, thumbnailsInMotion = 2;

export function makeFiles(panel, studio) {
  let files = [], chosen = [], active = -1, columns = 1, frame = 0, lastTop = 0;
  // What is built: by the place of its file, and what waits to be used again.
  const cells = new Map(), spare = [];
  const filter = h("input", { type: "text", placeholder: "part of a name", autocomplete: "off", spellcheck: "false", oninput: () => choose() });
  const kinds = h("select", { onchange: () => choose() }, [["", "all"], ["latent", ".latent files"], ["picture", "pictures"]].map(([value, text]) => h("option", { value, text })));
  const count = h("p", { class: "hint", role: "status" });
  const spacer = h("div", { class: "spacer", role: "presentation", onclick: click });
  const nothing = h("p", { class: "hint nothing", hidden: true });
  const list = h("div", { class: "file-list", tabindex: "0", role: "listbox", "aria-label": "Files" }, nothing, spacer);
  const facts = h("div", { class: "facts" }, h("p", { class: "hint", text: "Choose a file to see what it says about itself." }));
  const view = h("div", { class: "files" },
    h("div", { class: "files-main" }, h("div", { class: "files-bar" }, field("Find", filter), field("Show", kinds), count,
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
    const id = chosen[active]?.id;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    chosen = files.filter((file) => (!kinds.value || file.kind === kinds.value) && words.every((word) => file.name.toLowerCase().includes(word)));
    count.textContent = chosen.length === files.length ? `${files.length} files` : `${chosen.length} of ${files.length}`;
    nothing.hidden = chosen.length > 0;
    nothing.textContent = files.length ? "No file is like that." : "There are no pictures or .latent files in these folders yet.";
    active = chosen.findIndex((file) => file.id === id);
    for (const index of cells.keys()) putAside(index);
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
    const width = list.clientWidth / columns, top = list.scrollTop, height = list.clientHeight;
    const first = Math.max(0, Math.floor(top / cell.height) - 1) * columns;
    const last = Math.min(chosen.length, (Math.ceil((top + height) / cell.height) + 1) * columns);
    for (const index of cells.keys()) if (index < first || index >= last) putAside(index);
    for (let index = first; index < last; index++) {
      if (!cells.has(index)) { const made = spare.pop() ?? build(); fill(made, index); cells.set(index, made); }
      const { element } = cells.get(index);
      const place = `translate(${(index % columns) * width}px, ${Math.floor(index / columns) * cell.height}px)`;
      if (element.style.transform !== place) element.style.transform = place;
      if (element.style.width !== `${width}px`) element.style.width = `${width}px`;
    }
    for (const { element } of spare) element.hidden = true;
    mark();
    // While the list runs past, nothing is fetched.
    const moved = Math.abs(top - lastTop);
    lastTop = top;
    if (moved < cell.height / 2) fetchSome(moved); else drawSoon();
  }

  function drawSoon() { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); }

  /// Asks for some of the thumbnails that are missing; when one comes, it is called again.
  function fetchSome(moved) {
    let free = moved ? thumbnailsInMotion : thumbnailsAtOnce;
    for (const { image } of cells.values()) if (!image.complete) free--;
    for (const { image, index } of cells.values()) {
      if (image.hasAttribute("src")) continue;
      if (free-- <= 0) return;
      image.src = `/api/files/${chosen[index].id}/thumbnail`;
    }
  }

  /// A cell without a file; building one costs more than giving it another file.
  function build() {
    const image = h("img", { alt: "", decoding: "async", hidden: true });
    const missing = h("span", { class: "no-thumbnail", hidden: true });
    const thumbnail = h("div", { class: "thumbnail" }, image, missing), label = h("span", { class: "file-label" });
    const element = h("div", { class: "file", role: "option", id: fresh("file"), "aria-selected": "false" }, thumbnail, label);
    // Until it is there, a browser shows it as broken.
    image.addEventListener("load", () => { image.hidden = !image.naturalWidth; drawSoon(); });
    image.addEventListener("error", () => { missing.hidden = !image.hasAttribute("src"); drawSoon(); });
    spacer.append(element);
    return { element, thumbnail, image, missing, label, index: 0 };
  }

  function fill(made, index) {
    const file = chosen[index], { element } = made;
    made.index = index;
    made.label.textContent = file.name.split("/").at(-1);
    made.thumbnail.className = `thumbnail ${file.kind}`;
    made.missing.textContent = file.kind === "latent" ? ".latent" : "?";
    element.title = file.name;
    element.setAttribute("aria-label", file.name);
    element.setAttribute("aria-setsize", String(chosen.length));
    element.setAttribute("aria-posinset", String(index + 1));
    element.hidden = false;
  }

  function putAside(index) {
    const made = cells.get(index);
    made.image.removeAttribute("src");
    made.image.hidden = true;
    made.missing.hidden = true;
    cells.delete(index);
    spare.push(made);
  }

  function click(event) {
    const element = event.target.closest(".file");
    for (const made of cells.values()) if (made.element === element) { active = made.index; mark(); look(chosen[active]); }
  }

  function mark() {
    for (const [index, { element }] of cells) {
      const isActive = String(index === active);
      if (element.getAttribute("aria-selected") !== isActive) element.setAttribute("aria-selected", isActive);
    }
    const made = cells.get(active);
    if (made) list.setAttribute("aria-activedescendant", made.element.id); else list.removeAttribute("aria-activedescendant");
  }

  list.addEventListener("scroll", drawSoon, { passive: true });
  // Who comes by keyboard begins with the first file.
  list.addEventListener("focus", () => { if (active < 0 && chosen.length && list.matches(":focus-visible")) { active = 0; mark(); } });
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
      // Where it stands below the list, it comes into view.
      facts.parentElement.scrollIntoView({ block: "nearest" });
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
