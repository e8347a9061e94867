// A title in a row: artwork, name, facts. One button; choosing it says that the viewer watched the title.

import { artwork, element, facts } from "./element.js";

/** A card that can be shown again for the same title at another place. */
export function makeCard(title) {
  const name = element("span", { class: "card-name" }, title.name);
  const rank = element("span", { class: "card-rank", "aria-hidden": "true" });
  const image = element("img", {
    class: "card-art", src: artwork(title), alt: "", width: 240, height: 360, loading: "lazy", decoding: "async",
    draggable: "false",
  });
  const button = element(
    "button",
    { type: "button", class: "card", "data-title": title.id, tabindex: "-1" },
    element("span", { class: "card-frame" }, image, rank),
    name,
    element("span", { class: "card-facts" }, facts(title, 2)),
    // Last, so that the name of the button starts with the title.
    element("span", { class: "card-act" }, "I watched it"),
  );
  const item = element("li", { class: "row-item", "data-title": title.id }, button);
  return { item, button, rank, title };
}

/** Says where the card stands and by which score. */
export function placeCard(card, position, score) {
  const shown = `#${position + 1} · ${score.toPrecision(3)}`;
  if (card.rank.textContent !== shown) card.rank.textContent = shown;
}
