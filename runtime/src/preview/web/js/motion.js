// Cards glide from their old place to the new one (first, last, invert, play). With reduced motion nothing moves.

const GLIDE = { duration: 420, easing: "cubic-bezier(.2,.8,.2,1)" };
const APPEAR = { duration: 320, easing: "ease-out" };

const calm = matchMedia("(prefers-reduced-motion: reduce)");

const key = (item) => `${item.closest(".row").dataset.row} ${item.dataset.title ?? ""}`;

const near = (box) =>
  box.bottom > -200 && box.top < innerHeight + 200 && box.right > -200 && box.left < innerWidth + 200;

/** The places of rows and cards. Call it before the page changes. */
export function snapshot(root) {
  const places = new Map();
  if (calm.matches) return places;
  for (const item of root.querySelectorAll(".row, .row-item")) places.set(key(item), item.getBoundingClientRect());
  return places;
}

/**
 * Plays the way from `before` to where rows and cards are now: a row moves up and down as a whole, because its strip clips
 * what leaves it, and a card moves sideways within its row. All boxes are read before anything is animated.
 */
export function slide(before, root) {
  if (calm.matches || before.size === 0) return;
  const moves = [];
  for (const item of root.querySelectorAll(".row, .row-item")) {
    const now = item.getBoundingClientRect();
    const was = before.get(key(item));
    if (near(now) || (was && near(was))) moves.push({ item, now, was, isRow: item.matches(".row") });
  }
  for (const { item, now, was, isRow } of moves) {
    const by = was ? (isRow ? was.top - now.top : was.left - now.left) : 0;
    if (!was) {
      item.animate([{ opacity: 0, transform: "scale(.94)" }, { opacity: 1, transform: "none" }], APPEAR);
    } else if (Math.abs(by) > 1) {
      item.animate([{ transform: isRow ? `translateY(${by}px)` : `translateX(${by}px)` }, { transform: "none" }], GLIDE);
    }
  }
}
