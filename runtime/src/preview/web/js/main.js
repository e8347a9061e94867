// Connects the parts: a choice changes the session, then the page is fetched and shown.

import { fetchPage, fetchSurfaces } from "./api.js";
import { Billboard } from "./billboard.js";
import { byId, counted, duration, element } from "./element.js";
import { listen } from "./keyboard.js";
import { Notice } from "./notice.js";
import { showPanel } from "./panel.js";
import { Picker } from "./picker.js";
import { Recent } from "./recent.js";
import { Rows } from "./rows.js";
import { Session } from "./session.js";

const session = new Session();
const rowsRoot = byId("rows");
const rows = new Rows(rowsRoot, watch);
const billboard = new Billboard(watch);
const recent = new Recent((id) => change(() => session.forget(id)), () => change(() => session.forgetAll()));
const notice = new Notice(() => start());
const picker = new Picker(byId("viewer"), byId("viewer-list"), (viewer) => change(() => { session.viewer = viewer; }));
const surfaceSelect = byId("surface");

let inFlight;
let hasSurfaces = false;

function watch(title) {
  change(() => session.watch(title));
}

/** Changes the session and shows its new page. */
function change(apply) {
  apply();
  showChoices();
  return refresh();
}

function showChoices() {
  picker.show(session.surface, session.viewer);
  recent.show(session.recent);
}

/** Fetches the page. A newer request aborts an older one. */
async function refresh() {
  inFlight?.abort();
  inFlight = new AbortController();
  const { signal } = inFlight;
  rowsRoot.setAttribute("aria-busy", "true");
  rows.showSkeleton();
  try {
    const { surface, viewer, recent: watched } = session;
    const { page, roundTripMicros } = await fetchPage({ surface, viewer, recent: watched }, signal);
    if (signal.aborted) return;
    notice.clear();
    showPage(page, roundTripMicros);
  } catch (error) {
    if (error.name !== "AbortError") fail(error);
  }
}

function showPage(page, roundTripMicros) {
  billboard.show(page);
  rows.show(page.rows);
  showPanel(page, roundTripMicros);
  rowsRoot.setAttribute("aria-busy", "false");
  document.body.classList.toggle("is-degraded", Boolean(page.degraded));
  byId("empty").hidden = page.rows.length > 0;
  byId("empty").textContent = "No row has a title left for this viewer.";
  announce(page);
}

function announce(page) {
  const who = session.viewer === "" ? "a new viewer" : `viewer ${session.viewer}`;
  const first = page.rows[0]?.titles[0];
  const took = duration(page.timings.reduce((sum, { micros }) => sum + micros, 0));
  byId("announcer").textContent =
    `Page ranked for ${who} in ${took}: ${counted(page.rows.length, "row")}, ${counted(session.recent.length, "title")} watched just now.` +
    (first ? ` First: ${first.name}.` : "");
}

function fail(error) {
  rowsRoot.setAttribute("aria-busy", "false");
  notice.show(error);
}

/** Learns the surfaces, once they are known, and shows the page. */
async function start() {
  rows.showSkeleton();
  if (!hasSurfaces) {
    try {
      const surfaces = await fetchSurfaces();
      hasSurfaces = surfaces.length > 0;
      if (!hasSurfaces) return fail({ message: "No page is served yet: its models are loading, or no PageLayout was given.", retryAfter: 1 });
      offerSurfaces(surfaces.map(({ surface }) => surface));
    } catch (error) {
      return fail(error);
    }
  }
  showChoices();
  return refresh();
}

function offerSurfaces(names) {
  if (!names.includes(session.surface)) session.surface = names[0];
  surfaceSelect.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  surfaceSelect.value = session.surface;
  byId("surface-field").hidden = names.length < 2;
}

surfaceSelect.addEventListener("change", () => change(() => { session.surface = surfaceSelect.value; }));
listen(rowsRoot);
start();
