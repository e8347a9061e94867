// Elements from data. Text goes in as text, never as markup.

/** The element with this id, which index.html has. */
export const byId = (id) => document.getElementById(id);

/** An element with attributes (undefined and false ones left out) and children (elements or texts). */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** `1 title`, `2 titles`. */
export const counted = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

/** Microseconds for people. */
export function duration(micros) {
  if (micros < 1000) return `${Math.round(micros)} µs`;
  if (micros < 1_000_000) return `${(micros / 1000).toFixed(micros < 10_000 ? 2 : 1)} ms`;
  return `${(micros / 1_000_000).toFixed(2)} s`;
}

/** The URL of a title's artwork. */
export const artwork = (title) => `/preview/artwork/${encodeURIComponent(title.id)}.svg`;

/** `1977 · Action, Adventure`, without what is unknown. */
export function facts(title, mostGenres = 3) {
  const genres = (title.genres ?? []).slice(0, mostGenres).join(", ");
  return [title.year ?? "", genres].filter((part) => part !== "").join(" · ");
}
