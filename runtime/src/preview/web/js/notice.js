// What went wrong, and when it is tried again. What was shown before stays.

import { byId } from "./element.js";

const LONGEST_WAIT_S = 30;

/** The bar below the header. `onRetry` asks again. */
export class Notice {
  #root = byId("notice");
  #text = byId("notice-text");
  #retry = byId("notice-retry");
  #timer;
  #failures = 0;

  constructor(onRetry) {
    this.#retry.addEventListener("click", onRetry);
    addEventListener("online", () => { if (!this.#root.hidden) onRetry(); });
    this.onRetry = onRetry;
  }

  /** Nothing is wrong (any more). */
  clear() {
    clearInterval(this.#timer);
    this.#failures = 0;
    this.#root.hidden = true;
  }

  /** Says what is wrong. An error that may pass is tried again, after longer and longer waits. */
  show(error) {
    clearInterval(this.#timer);
    this.#retry.textContent = "Retry now";
    this.#root.hidden = false;
    if (error.retryAfter === undefined) {
      this.#text.textContent = error.message;
      return;
    }
    let left = Math.min(Math.ceil(error.retryAfter * 1.6 ** this.#failures), LONGEST_WAIT_S);
    this.#failures += 1;
    this.#text.textContent = `${error.message} Trying again in ${left} s.`;
    // The alert is read once: the countdown changes what is seen, on the button, and not what is announced.
    this.#timer = setInterval(() => {
      left -= 1;
      this.#retry.textContent = left > 0 ? `Retry now (${left})` : "Retry now";
      if (left <= 0) {
        clearInterval(this.#timer);
        this.onRetry();
      }
    }, 1000);
  }
}
