// Arrow keys move between cards: left and right in a row, up and down between rows. Each row is one stop for Tab.

import { roam } from "./rows.js";

/** The horizontal middle of a card by its layout, without the offset of a running animation. */
const middle = (card) => {
  const item = card.closest(".row-item");
  return item.offsetLeft + item.offsetWidth / 2 - item.parentElement.scrollLeft;
};

/** The card of `strip` nearest to `card` below or above. */
function nearest(strip, card) {
  const from = middle(card);
  return [...strip.querySelectorAll(".card")].reduce(
    (best, other) => (!best || Math.abs(middle(other) - from) < Math.abs(middle(best) - from) ? other : best),
    undefined,
  );
}

function target(key, card, root) {
  const cards = [...card.closest(".strip").querySelectorAll(".card")];
  const strips = [...root.querySelectorAll(".strip")];
  const position = cards.indexOf(card);
  const row = strips.indexOf(card.closest(".strip"));
  switch (key) {
    case "ArrowRight": return cards[position + 1];
    case "ArrowLeft": return cards[position - 1];
    case "Home": return cards[0];
    case "End": return cards.at(-1);
    case "ArrowDown": return strips[row + 1] && nearest(strips[row + 1], card);
    case "ArrowUp": return strips[row - 1] && nearest(strips[row - 1], card);
    default: return undefined;
  }
}

/** Adds the listeners to `root`, which contains the rows. */
export function listen(root) {
  root.addEventListener("keydown", (event) => {
    const card = event.target.closest(".card");
    if (!card || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = target(event.key, card, root);
    if (!next) return;
    event.preventDefault();
    roam(next);
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
  root.addEventListener("focusin", (event) => {
    const card = event.target.closest(".card");
    if (card) roam(card);
  });
}
