// The pictures that are part of the program.

import { getBlob, getJSON } from "./api.js";
import { h, tell } from "./dom.js";

/// Gives a sample to `take`, as a file.
export async function takeSample(sample, take) {
  try {
    const blob = await getBlob(`/api/samples/${sample}`);
    take(new File([blob], `${sample}.png`, { type: blob.type }));
  } catch (error) { tell(error.message); }
}

/// Fills a place with a button for each sample; the promise is of their names.
export async function showSamples(place, label, take) {
  try {
    const { samples } = await getJSON("/api/samples");
    for (const sample of samples) {
      place.append(h("button", { type: "button", "aria-label": `${label}: ${sample}`, title: sample, onclick: () => takeSample(sample, take) }, h("img", { src: `/api/samples/${sample}`, alt: "", width: "64", height: "64", loading: "lazy" })));
    }
    return samples;
  } catch (error) {
    tell(error.message);
    return [];
  }
}
