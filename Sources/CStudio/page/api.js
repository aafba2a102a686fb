// The server's API, as /openapi.json describes it.

/// Why a request was refused: what the server's problem details say.
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

let running = 0;
function busy(change) {
  running += change;
  const place = document.getElementById("busy");
  if (place) place.textContent = running > 0 ? "computing" : "";
}

function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null && value !== "") query.set(key, value);
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function ask(method, path, { parameters, body, signal, quiet } = {}) {
  if (!quiet) busy(1);
  try {
    const response = await fetch(address(path, parameters), { method, body, signal, credentials: "same-origin" });
    if (response.ok) return response;
    let detail = `${response.status} ${response.statusText}`;
    try { detail = (await response.json()).detail ?? detail; } catch { /* not JSON: the status will do */ }
    throw new Refusal(response.status, detail);
  } catch (error) {
    if (error instanceof TypeError) throw new Refusal(0, "The server doesn't answer. Is lvae studio still running?");
    throw error;
  } finally {
    if (!quiet) busy(-1);
  }
}

export const getJSON = async (path, options) => (await ask("GET", path, options)).json();
export const getBlob = async (path, options) => (await ask("GET", path, options)).blob();
export const postJSON = async (path, options) => (await ask("POST", path, options)).json();
export const postBlob = async (path, options) => (await ask("POST", path, options)).blob();
export const postBytes = async (path, options) => (await ask("POST", path, options)).arrayBuffer();
export const remove = (path) => ask("DELETE", path, { quiet: true });

/// A picture of the server, ready to be drawn.
export async function getPicture(path, options) {
  return createImageBitmap(await getBlob(path, options));
}

/// Reads server-sent events of a POST request: calls `onevent(name, data)` for each.
export async function events(path, object, onevent, signal) {
  const response = await ask("POST", path, { body: JSON.stringify(object), signal, quiet: true });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const name = /^event: (.*)$/m.exec(block)?.[1] ?? "message";
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data) onevent(name, JSON.parse(data));
    }
  }
}

/// Whether an error only says that somebody changed their mind.
export const isAbort = (error) => error?.name === "AbortError";
