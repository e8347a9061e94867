// How the page was made: how the viewer was recognised, which models answered, and the time of each stage.

import { byId, counted, duration, element } from "./element.js";

const RECOGNISED = {
  known: "Known from training",
  foldedin: "Unseen in training; folded in from what was watched",
  stranger: "A stranger: popular titles",
};

const recognised = (word) => RECOGNISED[String(word).toLowerCase().replace(/[^a-z]/g, "")] ?? String(word);

const fact = (term, text) => element("div", {}, element("dt", {}, term), element("dd", {}, text));

/** Shows the facts and timings of the page. */
export function showPanel(page, roundTripMicros) {
  const total = page.timings.reduce((sum, { micros }) => sum + micros, 0);
  byId("panel-total").textContent = duration(total);
  const models = new Map(page.rows.filter((row) => row.model).map(({ model }) => [model.objective, model.revision]));
  const degraded = page.rows.filter((row) => row.degraded).length;
  const titles = page.rows.reduce((sum, row) => sum + row.titles.length, 0);
  byId("panel-facts").replaceChildren(
    fact("Viewer", recognised(page.recognised)),
    fact("Page", `${counted(page.rows.length, "row")}, ${counted(titles, "title")}`),
    fact("Models", [...models].map(([objective, revision]) => `${objective} (${revision.slice(0, 8)})`).join(", ") || "none"),
    fact("Degraded", degraded === 0 ? "no row" : counted(degraded, "row")),
    fact("Server", duration(total)),
    fact("Round trip", duration(roundTripMicros)),
  );
  const longest = Math.max(1, ...page.timings.map(({ micros }) => micros));
  byId("panel-stages").replaceChildren(...page.timings.map(({ stage, micros }) =>
    element(
      "tr", {},
      element("th", { scope: "row" }, stage),
      element("td", { class: "stage-time" }, duration(micros)),
      element("td", { class: "stage-bar" }, element("meter", { min: 0, max: longest, value: micros, "aria-label": `${stage}, share of the longest stage` })),
    )));
}
