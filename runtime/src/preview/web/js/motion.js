// Cards glide from where they were to where they are: first, last, invert, play. Nothing moves for who asks for calm.

const GLIDE = { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" };
const APPEAR = { duration: 320, easing: "ease-out" };

const calm = matchMedia("(prefers-reduced-motion: reduce)");

const key = (item) => `${item.closest(".row")?.dataset.row} ${item.dataset.title}`;

const near = (box) =>
  box.bottom > -200 && box.top < innerHeight + 200 && box.right > -200 && box.left < innerWidth + 200;

/** Where the items are now. Read before the page changes. */
export function snapshot(items) {
  const places = new Map();
  if (!calm.matches) for (const item of items) places.set(key(item), item.getBoundingClientRect());
  return places;
}

/** Plays the way from `before` to where the items are now. All boxes are read before anything is animated. */
export function slide(before, items) {
  if (calm.matches || before.size === 0) return;
  const moves = [];
  for (const item of items) {
    const now = item.getBoundingClientRect();
    const was = before.get(key(item));
    if (near(now) || (was && near(was))) moves.push({ item, now, was });
  }
  for (const { item, now, was } of moves) {
    if (!was) {
      item.animate([{ opacity: 0, transform: "scale(.86)" }, { opacity: 1, transform: "none" }], APPEAR);
    } else if (Math.abs(was.left - now.left) + Math.abs(was.top - now.top) > 1) {
      const start = `translate(${was.left - now.left}px, ${was.top - now.top}px)`;
      item.animate([{ transform: start }, { transform: "none" }], GLIDE);
    }
  }
}
