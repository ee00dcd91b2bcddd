/** Idempotency keys: one per order a person means to send, however often it is sent. */

// The second click of a double click, or a key that repeats, means the order just answered.
const SAME_INTENT_MS = 1500;

/** Gives the same key for the same body until that was answered and the answer could be seen. */
export class Intents {
  constructor() {
    this.body = "";
    this.key = "";
    this.validUntil = 0;
  }

  /**
   * @param {unknown} body
   * @param {number} now in ms
   * @returns {string}
   */
  keyFor(body, now) {
    const text = JSON.stringify(body);
    if (text !== this.body || now >= this.validUntil) {
      this.body = text;
      this.key = randomKey();
      this.validUntil = Infinity;
    }
    return this.key;
  }

  /**
   * The body was answered: the next time it is sent, another order is meant.
   * @param {number} now in ms
   */
  answered(now) {
    this.validUntil = now + SAME_INTENT_MS;
  }
}

function randomKey() {
  // crypto.randomUUID is missing on plain HTTP.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
