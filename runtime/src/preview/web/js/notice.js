// An error, and the time of the next try. The page below stays as it was.

import { byId } from "./element.js";

const LONGEST_WAIT_S = 30;

/** The bar below the header. `onRetry` tries again. */
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

  /** Hides the bar. */
  clear() {
    clearInterval(this.#timer);
    this.#failures = 0;
    this.#root.hidden = true;
  }

  /** Shows an error. If it may pass, the request is tried again after longer and longer waits. */
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
    // Screen readers announce the alert once: the countdown changes only the button.
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
