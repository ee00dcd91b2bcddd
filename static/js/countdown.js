/** Count-downs by the server's clock. Pure. */

const MINUTE_MS = 60_000;

/** What is known of the server's clock, which may differ from this machine's. */
export class Clock {
  constructor() {
    this.aheadMs = 0;
  }

  /**
   * The server has said how long it is until a moment.
   * @param {string} eta the moment
   * @param {number} remainingMs
   * @param {number} now in ms, by this machine
   */
  learn(eta, remainingMs, now) {
    this.aheadMs = Date.parse(eta) - remainingMs - now;
  }

  /**
   * @param {string} eta
   * @param {number} now in ms, by this machine
   * @returns {number} ms until then; below zero once it has passed
   */
  left(eta, now) {
    return Date.parse(eta) - now - this.aheadMs;
  }
}

/** @param {number} ms until the moment */
export function countdown(ms) {
  if (ms <= 0) return "now";
  // Cut off, so that a count-down never says more than there is.
  if (ms < MINUTE_MS) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}
