// The viewer picker: a searchable list after the ARIA combobox pattern. The first choice is a new viewer.

import { fetchViewers } from "./api.js";
import { counted, element } from "./element.js";

const NEW_VIEWER = "A new viewer";
const TYPING_PAUSE_MS = 120;

/** A search field for viewers. `onPick` gets the id, or an empty text for a new viewer. */
export class Picker {
  #input;
  #list;
  #onPick;
  #surface = "";
  #viewer = "";
  #active = -1;
  /** Whether arrow keys chose the active option, rather than what was typed. */
  #arrowed = false;
  #timer;
  #inFlight;

  constructor(input, list, onPick) {
    this.#input = input;
    this.#list = list;
    this.#onPick = onPick;
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => this.#open(""));
    input.addEventListener("input", () => this.#openSoon());
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => this.#close());
    // Keeps the focus in the input. Otherwise the list would close before the click.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest('[role="option"]');
      if (option) this.#pick(option.dataset.viewer);
    });
  }

  /** Shows `viewer` as chosen. */
  show(surface, viewer) {
    this.#surface = surface;
    this.#viewer = viewer;
    this.#input.value = viewer === "" ? NEW_VIEWER : viewer;
  }

  get #options() { return [...this.#list.querySelectorAll('[role="option"]')]; }

  get #isOpen() { return !this.#list.hidden; }

  #openSoon() {
    this.#arrowed = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(this.#input.value.trim()), TYPING_PAUSE_MS);
  }

  async #open(query) {
    clearTimeout(this.#timer);
    this.#inFlight?.abort();
    this.#inFlight = new AbortController();
    const { signal } = this.#inFlight;
    let found;
    try {
      found = await fetchViewers(this.#surface, query, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      found = { viewers: [], more: false, error: error.message };
    }
    if (signal.aborted || document.activeElement !== this.#input) return;
    this.#fill(query, found);
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
  }

  #fill(query, { viewers, more, error }) {
    const choices = [this.#option("", NEW_VIEWER, "nothing known")];
    // An id that the search does not find is still a viewer.
    if (query !== "" && !viewers.some(({ id }) => id === query)) choices.push(this.#option(query, query, "not in training"));
    for (const { id, nWatched } of viewers) choices.push(this.#option(id, id, counted(nWatched, "title")));
    if (error) choices.push(element("li", { class: "option-note", role: "presentation" }, error));
    else if (more) choices.push(element("li", { class: "option-note", role: "presentation" }, "Type to see more"));
    this.#list.replaceChildren(...choices);
    this.#options.forEach((option, position) => { option.id = `viewer-option-${position}`; });
    const chosen = this.#options.findIndex((option) => option.dataset.viewer === (query || this.#viewer));
    this.#activate(chosen);
  }

  #option(viewer, label, note) {
    return element(
      "li",
      { role: "option", "data-viewer": viewer, "aria-selected": String(viewer === this.#viewer) },
      element("span", {}, label),
      element("span", { class: "option-fact" }, note),
    );
  }

  #activate(position) {
    const options = this.#options;
    this.#active = position;
    options.forEach((option, idx) => option.classList.toggle("is-active", idx === position));
    const active = options[position];
    if (active) {
      this.#input.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else {
      this.#input.removeAttribute("aria-activedescendant");
    }
  }

  #arrow(position) {
    this.#arrowed = true;
    this.#activate(position);
  }

  #key(event) {
    const last = this.#options.length - 1;
    switch (event.key) {
      case "ArrowDown":
        if (this.#isOpen) this.#arrow(Math.min(this.#active + 1, last));
        else this.#open("");
        break;
      case "ArrowUp":
        if (this.#isOpen) this.#arrow(Math.max(this.#active - 1, 0));
        break;
      case "Enter": {
        const typed = this.#input.value.trim();
        const active = this.#isOpen && this.#arrowed ? this.#options[this.#active] : undefined;
        // Without arrow keys the typed text counts, even if its search has not finished.
        this.#pick(active ? active.dataset.viewer : typed === NEW_VIEWER ? "" : typed);
        break;
      }
      case "Escape":
        this.#close();
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #pick(viewer) {
    this.#close();
    this.show(this.#surface, viewer);
    this.#onPick(viewer);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#inFlight?.abort();
    this.#list.hidden = true;
    this.#active = -1;
    this.#arrowed = false;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
    this.show(this.#surface, this.#viewer);
  }
}
