// The title at the top of the page: the first of the first row.

import { artwork, byId, facts } from "./element.js";

/** Shows the page's first title, large; `onWatch` gets it when its button is chosen. */
export class Billboard {
  #root = byId("billboard");
  #title;

  constructor(onWatch) {
    byId("billboard-watch").addEventListener("click", () => this.#title && onWatch(this.#title));
  }

  show(page) {
    const row = page.rows[0];
    const title = row?.titles[0];
    this.#root.hidden = !title;
    if (!title || title.id === this.#title?.id) {
      if (title) this.#describe(row, title);
      return;
    }
    this.#title = title;
    this.#describe(row, title);
    byId("billboard-backdrop").src = artwork(title);
    const poster = byId("billboard-poster");
    poster.src = artwork(title);
    poster.alt = `Poster of ${title.name}`;
  }

  #describe(row, title) {
    byId("billboard-row").textContent = row.heading;
    byId("billboard-name").textContent = title.name;
    byId("billboard-facts").textContent = facts(title, 4);
    byId("billboard-why").textContent = row.why;
    // A name starts with the words on the button: whoever speaks commands says what they read.
    byId("billboard-watch").setAttribute("aria-label", `I watched it: ${title.name}`);
  }
}
