// Requests to the server that this page came from.

/** A request that failed. `retryAfter` (seconds) is set when trying again may help. */
export class RequestError extends Error {
  constructor(message, retryAfter) {
    super(message);
    this.name = "RequestError";
    this.retryAfter = retryAfter;
  }
}

/** The explanation in an error: the `detail` of problem details (RFC 9457), or else the text. */
function explanation(text, status) {
  try {
    const { detail } = JSON.parse(text);
    if (typeof detail === "string") return detail;
  } catch {
    // Not JSON: use the text.
  }
  return text.trim().slice(0, 300) || `the server answered ${status}`;
}

const WORTH_RETRYING = new Set([408, 429, 502, 503, 504]);

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (cause) {
    if (cause.name === "AbortError") throw cause;
    throw new RequestError("The server cannot be reached.", 2);
  }
  if (response.ok) return response.json();
  const hint = Number(response.headers.get("retry-after"));
  const retryAfter = WORTH_RETRYING.has(response.status) ? Math.max(hint || 1, 1) : undefined;
  throw new RequestError(explanation(await response.text(), response.status), retryAfter);
}

/** The page of a surface for a viewer, and the time of the round trip (microseconds). */
export async function fetchPage({ surface, viewer, recent }, signal) {
  const body = JSON.stringify({ viewer, recent: recent.map((title) => title.id) });
  const started = performance.now();
  const page = await request(`/v1/surfaces/${encodeURIComponent(surface)}/page`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal,
  });
  return { page, roundTripMicros: (performance.now() - started) * 1000 };
}

/** The surfaces that have a page. */
export const fetchSurfaces = async () => (await request("/preview/surfaces")).surfaces;

/** Viewers whose id contains `query`, and whether there are more. */
export const fetchViewers = (surface, query, signal) =>
  request(`/preview/viewers?${new URLSearchParams({ surface, query, limit: 60 })}`, { signal });
