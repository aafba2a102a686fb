// The page's frame: views, colours, and what all views share.

import { getJSON } from "./api.js";
import { tell } from "./dom.js";
import { makeCompress } from "./compress.js";
import { makeLatents } from "./latents.js";
import { makeDiffuse } from "./diffuse.js";
import { makeTrain } from "./train.js";
import { makeFiles } from "./files.js";

const makers = { compress: makeCompress, latents: makeLatents, diffuse: makeDiffuse, train: makeTrain, files: makeFiles };
const views = {};
const tabs = [...document.querySelectorAll("[role=tab]")];
const nameOf = (tab) => tab.id.slice("tab-".length);

// MARK: Colours

const themes = ["auto", "light", "dark"];
const themeNames = { auto: "as the system has them", light: "light", dark: "dark" };
const themeButton = document.getElementById("theme");

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  const text = `Colours: ${themeNames[theme]}`;
  themeButton.setAttribute("aria-label", text);
  themeButton.title = text;
  try { localStorage.setItem("theme", theme); } catch { /* private windows keep nothing */ }
  for (const view of Object.values(views)) view.recolour?.();
}

themeButton.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? "auto";
  setTheme(themes[(themes.indexOf(now) + 1) % themes.length]);
});
let kept = null;
try { kept = localStorage.getItem("theme"); } catch { /* as above */ }
setTheme(themes.includes(kept) ? kept : "auto");
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const view of Object.values(views)) view.recolour?.();
});

// MARK: Views

const studio = {
  info: null,
  /// Opens a picture or a `.latent` file in another view.
  open(name, file) {
    show(name);
    views[name].take(file);
  },
};

function show(name) {
  // Until it is known what the server has, a choice is only remembered.
  if (!studio.info) { history.replaceState(null, "", `#${name}`); return; }
  for (const tab of tabs) {
    const isShown = nameOf(tab) === name;
    tab.setAttribute("aria-selected", String(isShown));
    tab.tabIndex = isShown ? 0 : -1;
    document.getElementById(`panel-${nameOf(tab)}`).hidden = !isShown;
    if (!isShown) views[nameOf(tab)]?.hide?.();
  }
  if (location.hash !== `#${name}`) history.replaceState(null, "", `#${name}`);
  if (!views[name]) views[name] = makers[name](document.getElementById(`panel-${name}`), studio);
  views[name].show?.();
}

for (const tab of tabs) {
  tab.addEventListener("click", () => show(nameOf(tab)));
  tab.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.length, End: tabs.length };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const place = tabs.indexOf(tab) + move;
    const next = tabs[Math.abs(move) === 1 ? (place + tabs.length) % tabs.length : Math.min(Math.max(place, 0), tabs.length - 1)];
    next.focus();
    show(nameOf(next));
  });
}
window.addEventListener("hashchange", () => {
  const name = location.hash.slice(1);
  if (makers[name]) show(name);
});
// A file that misses its place must not replace the page.
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());

try {
  studio.info = await getJSON("/api/models");
  const wanted = location.hash.slice(1);
  show(makers[wanted] ? wanted : "compress");
} catch (error) {
  tell(error.message);
}
