// The choices of the visitor: surface, viewer, and the titles that each viewer "watched" here. They last for this tab only.

const KEY = "marquee.preview.1";
/** Titles kept for one viewer. Older ones are dropped. */
const MOST_RECENT = 20;

const isTitle = (title) => typeof title?.id === "string" && typeof title?.name === "string";

function stored() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    return kept && typeof kept === "object" ? kept : {};
  } catch {
    return {}; // Storage is off, or has data of another version.
  }
}

/** The visitor's choices. Every change is stored at once. */
export class Session {
  #surface = "";
  #viewer = "";
  #watched = new Map();

  constructor() {
    const { surface, viewer, watched } = stored();
    if (typeof surface === "string") this.#surface = surface;
    if (typeof viewer === "string") this.#viewer = viewer;
    for (const [key, titles] of Object.entries(watched ?? {})) {
      if (Array.isArray(titles)) this.#watched.set(key, titles.filter(isTitle).slice(0, MOST_RECENT));
    }
  }

  get surface() { return this.#surface; }
  set surface(surface) { this.#surface = surface; this.#keep(); }

  /** Empty for a new viewer. */
  get viewer() { return this.#viewer; }
  set viewer(viewer) { this.#viewer = viewer; this.#keep(); }

  /** Titles watched here by this viewer, latest first. */
  get recent() { return this.#watched.get(this.#key()) ?? []; }

  watch({ id, name }) {
    const others = this.recent.filter((title) => title.id !== id);
    this.#set([{ id, name }, ...others].slice(0, MOST_RECENT));
  }

  forget(id) { this.#set(this.recent.filter((title) => title.id !== id)); }

  forgetAll() { this.#set([]); }

  #key() { return JSON.stringify([this.#surface, this.#viewer]); }

  #set(titles) {
    if (titles.length > 0) this.#watched.set(this.#key(), titles);
    else this.#watched.delete(this.#key());
    this.#keep();
  }

  #keep() {
    const watched = Object.fromEntries(this.#watched);
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ surface: this.#surface, viewer: this.#viewer, watched }));
    } catch {
      // Without storage the choices last until the page closes.
    }
  }
}
