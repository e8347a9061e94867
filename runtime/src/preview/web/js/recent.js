// The titles watched just now, as chips that can be removed.

import { artwork, byId, element } from "./element.js";

/** Shows the titles. `onForget` gets an id, `onForgetAll` gets nothing. */
export class Recent {
  #list = byId("recent-list");
  #hint = byId("recent-hint");
  #clear = byId("recent-clear");

  constructor(onForget, onForgetAll) {
    this.#clear.addEventListener("click", onForgetAll);
    this.#list.addEventListener("click", (event) => {
      const chip = event.target.closest("button");
      if (!chip) return;
      const chips = [...this.#list.querySelectorAll("button")];
      const position = chips.indexOf(chip);
      onForget(chip.dataset.title);
      // The chip was removed: focus its neighbour, or the viewer field if it was the last.
      const left = [...this.#list.querySelectorAll("button")];
      (left[Math.min(position, left.length - 1)] ?? byId("viewer")).focus();
    });
  }

  show(titles) {
    this.#hint.hidden = titles.length > 0;
    this.#clear.hidden = titles.length < 2;
    this.#list.replaceChildren(...titles.map((title) =>
      element("li", {}, element(
        "button",
        { type: "button", class: "chip", "data-title": title.id, "aria-label": `Remove ${title.name} from watched` },
        element("img", { src: artwork(title), alt: "", width: 24, height: 36 }),
        element("span", {}, title.name),
        element("span", { class: "chip-cross", "aria-hidden": "true" }, "×"),
      ))));
  }
}
