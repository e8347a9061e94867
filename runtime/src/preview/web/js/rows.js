// The rows of the page. Rows and cards that stay are kept, so that focus and scroll position survive a re-rank.

import { makeCard, placeCard } from "./card.js";
import { counted, element } from "./element.js";
import { slide, snapshot } from "./motion.js";

const DEGRADED = {
  DeadlineMissed: "the model missed the page's deadline",
  ModelFailed: "the model failed",
  ModelNotReady: "the model is not loaded",
  ViewerUnknown: "nothing is known of this viewer yet",
};

const SKELETON_ROWS = 4;
const SKELETON_CARDS = 12;

let nextId = 0;

/** The rows below `root`. */
export class Rows {
  #root;
  #rows = new Map();
  #onWatch;

  constructor(root, onWatch) {
    this.#root = root;
    this.#onWatch = onWatch;
    root.addEventListener("click", (event) => this.#click(event));
  }

  /** Grey shapes where rows will be, for as long as there are none. */
  showSkeleton() {
    if (this.#rows.size > 0) return;
    const cards = () => Array.from({ length: SKELETON_CARDS }, () => element("div", { class: "skeleton-card" }));
    this.#root.replaceChildren(...Array.from({ length: SKELETON_ROWS }, () =>
      element("div", { class: "skeleton", "aria-hidden": "true" }, element("div", { class: "skeleton-heading" }), element("div", { class: "skeleton-strip" }, ...cards()))));
  }

  /** Shows `rows`, moving what was there before to its new place. */
  show(rows) {
    const focused = this.#focusedPlace();
    const before = snapshot(this.#root);
    const shown = new Map();
    for (const row of rows) {
      const view = this.#rows.get(row.name) ?? this.#makeRow(row.name);
      fill(view, row);
      shown.set(row.name, view);
    }
    for (const [name, view] of this.#rows) if (!shown.has(name)) view.section.remove();
    this.#rows = shown;
    this.#arrange([...shown.values()].map((view) => view.section));
    slide(before, this.#root);
    for (const view of shown.values()) settle(view);
    if (focused) this.#focus(focused);
  }

  /** The first card of the page, if there is one. */
  get firstCard() { return this.#root.querySelector(".card"); }

  /** Puts sections in order without taking those out that are in place: that would lose scroll and focus. */
  #arrange(sections) {
    for (const skeleton of this.#root.querySelectorAll(".skeleton")) skeleton.remove();
    sections.forEach((section, position) => {
      if (this.#root.children[position] !== section) this.#root.insertBefore(section, this.#root.children[position] ?? null);
    });
  }

  #focusedPlace() {
    const card = document.activeElement?.closest?.(".card");
    const section = card?.closest(".row");
    if (!card || !this.#root.contains(card)) return undefined;
    const position = [...section.querySelectorAll(".card")].indexOf(card);
    return { title: card.dataset.title, row: section.dataset.row, position };
  }

  /** Focus stays on the title; when it left the page, on what took its place. */
  #focus({ title, row, position }) {
    const view = this.#rows.get(row);
    const card = view?.cards.get(title)?.button ?? [...(view?.order ?? [])][Math.min(position, (view?.order.length ?? 1) - 1)]?.button;
    const target = card ?? this.firstCard;
    if (!target || target === document.activeElement) return;
    roam(target);
    target.focus({ preventScroll: true });
  }

  #makeRow(name) {
    const id = `row-${nextId += 1}`;
    const heading = element("h2", { id });
    const badge = element("span", { class: "badge", hidden: true });
    const whyButton = element("button", { type: "button", class: "quiet why-button", "aria-expanded": "false", "aria-controls": `${id}-why` }, "Why these?");
    const why = element("div", { class: "why", id: `${id}-why`, hidden: true });
    const strip = element("ul", { class: "strip", role: "list", "aria-labelledby": id });
    const arrow = (direction, label) =>
      element("button", { type: "button", class: `arrow arrow-${direction}`, tabindex: "-1", "aria-hidden": "true", "data-direction": direction, title: label });
    const section = element(
      "section",
      { class: "row", "aria-labelledby": id, "data-row": name },
      element("div", { class: "row-head" }, heading, badge, whyButton),
      why,
      element("div", { class: "row-body" }, arrow("back", "Scroll back"), strip, arrow("on", "Scroll on")),
    );
    strip.addEventListener("scroll", () => markEnds(section, strip), { passive: true });
    return { section, heading, badge, whyButton, why, strip, cards: new Map(), order: [] };
  }

  #click(event) {
    const target = event.target.closest("button");
    const section = target?.closest(".row");
    const view = section && this.#rows.get(section.dataset.row);
    if (!view) return;
    if (target === view.whyButton) toggleWhy(view);
    else if (target.dataset.direction) scrollStrip(view.strip, target.dataset.direction);
    else if (target.dataset.title) this.#onWatch(view.cards.get(target.dataset.title).title);
  }
}

/** Makes `card` the one of its row that the Tab key reaches. */
export function roam(card) {
  for (const other of card.closest(".strip").querySelectorAll('.card[tabindex="0"]')) other.tabIndex = -1;
  card.tabIndex = 0;
}

function fill(view, row) {
  if (view.heading.textContent !== row.heading) view.heading.textContent = row.heading;
  view.badge.hidden = !row.degraded;
  view.section.classList.toggle("is-degraded", Boolean(row.degraded));
  if (row.degraded) {
    view.badge.textContent = row.degraded === "ViewerUnknown" ? "Popular for now" : "Degraded";
    view.badge.title = DEGRADED[row.degraded] ?? row.degraded;
  }
  view.whyButton.setAttribute("aria-label", `Why these? ${row.heading}`);
  view.why.replaceChildren(...explain(row));
  const cards = new Map();
  view.order = row.titles.map((title, position) => {
    const card = view.cards.get(title.id) ?? makeCard(title);
    placeCard(card, position, title.score);
    cards.set(title.id, card);
    return card;
  });
  for (const [id, card] of view.cards) if (!cards.has(id)) card.item.remove();
  view.cards = cards;
  view.order.forEach(({ item }, position) => {
    if (view.strip.children[position] !== item) view.strip.insertBefore(item, view.strip.children[position] ?? null);
  });
}

function explain(row) {
  const parts = [element("p", {}, row.why)];
  if (row.degraded) parts.push(element("p", { class: "why-degraded" }, `A fallback stands here: ${DEGRADED[row.degraded] ?? row.degraded}.`));
  const facts = [["Row", row.name], ["Ranked by", row.model ? row.model.objective : "popularity"]];
  if (row.model) facts.push(["Revision", row.model.revision.slice(0, 12)]);
  facts.push(["Shown", counted(row.titles.length, "title")]);
  parts.push(element("dl", { class: "why-facts" }, ...facts.map(([term, text]) => element("div", {}, element("dt", {}, term), element("dd", {}, text)))));
  return parts;
}

/** After a change: exactly one card of the row can be reached by Tab, and the arrows know whether there is more. */
function settle(view) {
  const reachable = view.order.filter(({ button }) => button.tabIndex === 0);
  if (reachable.length !== 1 && view.order.length > 0) {
    for (const { button } of reachable) button.tabIndex = -1;
    view.order[0].button.tabIndex = 0;
  }
  markEnds(view.section, view.strip);
}

function toggleWhy({ why, whyButton }) {
  why.hidden = !why.hidden;
  whyButton.setAttribute("aria-expanded", String(!why.hidden));
}

function scrollStrip(strip, direction) {
  const by = strip.clientWidth * 0.85 * (direction === "back" ? -1 : 1);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  strip.scrollBy({ left: by, behavior: calm ? "auto" : "smooth" });
}

function markEnds(section, strip) {
  section.classList.toggle("at-start", strip.scrollLeft < 8);
  section.classList.toggle("at-end", strip.scrollLeft + strip.clientWidth > strip.scrollWidth - 8);
}
