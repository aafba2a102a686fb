// The channels of a latent as small pictures.

import { h, significant } from "./dom.js";

/// Blue below the middle, white in it, red above; `position` in −1…1.
function diverging(position) {
  const t = Math.max(-1, Math.min(1, position));
  const low = [33, 102, 172], high = [178, 24, 43], middle = [247, 247, 247];
  const end = t < 0 ? low : high, share = Math.abs(t) ** 0.85;
  return middle.map((value, index) => Math.round(value + (end[index] - value) * share));
}

const table = new Uint8ClampedArray(513 * 3);
for (let index = 0; index <= 512; index++) table.set(diverging((index - 256) / 256), index * 3);

/// Draws one channel: its `mean` white, three standard deviations away full colour.
export function drawChannel(canvas, values, width, height, mean, deviation) {
  if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const factor = 256 / (3 * Math.max(deviation, 1e-6));
  for (let place = 0; place < width * height; place++) {
    const index = Math.max(0, Math.min(512, Math.round((values[place] - mean) * factor) + 256)) * 3;
    image.data[place * 4] = table[index];
    image.data[place * 4 + 1] = table[index + 1];
    image.data[place * 4 + 2] = table[index + 2];
    image.data[place * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/// A number in the little room of a tile; readers and the tile's title get more digits.
const short = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)).replace("-", "−").replace(/^−(0\.00)$/, "$1");

/// Mean and variance of numbers.
export function statistics(values) {
  let sum = 0, squares = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, variance: squares / values.length };
}

/// Tiles of all channels, of which one is chosen.
export class ChannelGrid {
  constructor({ onchoose }) {
    this.element = h("div", { class: "channels", role: "radiogroup", "aria-label": "Channels" });
    this.onchoose = onchoose;
    this.tiles = [];
    this.chosen = 0;
  }

  /// New tiles for a latent with these channels.
  reset(channels) {
    this.chosen = Math.min(this.chosen, channels.length - 1);
    this.tiles = channels.map((channel, index) => {
      const canvas = h("canvas", { "aria-hidden": "true" });
      const facts = h("span", { class: "channel-facts" });
      const tile = h("button", { type: "button", class: "channel", role: "radio", onclick: () => this.choose(index) },
        canvas, h("span", { class: "channel-name", text: `${index}` }), facts);
      tile.addEventListener("keydown", (event) => {
        const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!move) return;
        event.preventDefault();
        this.choose((index + move + this.tiles.length) % this.tiles.length);
        this.tiles[this.chosen].tile.focus();
      });
      return { tile, canvas, facts, original: channel };
    });
    this.element.replaceChildren(...this.tiles.map((entry) => entry.tile));
    this.choose(this.chosen);
  }

  choose(index) {
    this.chosen = index;
    this.tiles.forEach(({ tile }, place) => {
      tile.setAttribute("aria-checked", String(place === index));
      tile.tabIndex = place === index ? 0 : -1;
    });
    this.onchoose?.(index);
  }

  /// Shows numbers, C × h × w, in the colours of the latent before it was edited.
  show(values, width, height) {
    const count = width * height;
    this.tiles.forEach(({ tile, canvas, facts, original }, index) => {
      const own = values.subarray(index * count, (index + 1) * count);
      drawChannel(canvas, own, width, height, original.mean, Math.sqrt(original.variance));
      const { mean, variance } = statistics(own);
      const parts = [`μ ${short(mean)}`, `σ² ${short(variance)}`];
      if (original.kl !== undefined) parts.push(`KL ${short(original.kl)}`);
      facts.replaceChildren(...parts.map((text) => h("span", { text })));
      tile.title = `Channel ${index}: mean ${significant(mean)}, variance ${significant(variance)}${original.kl === undefined ? "" : `, KL ${significant(original.kl)} nats a place`}`;
      tile.setAttribute("aria-label", tile.title);
    });
  }
}
