/** The form for an order in a market's next batch, and what becomes of the order. */

import { NoAnswer, Refused, post } from "./api.js";
import { byId, fill, say } from "./dom.js";
import { amount, capitalized, price as priceText, units } from "./format.js";
import { Intents } from "./intent.js";

/** @typedef {import("./api.js").FieldError} FieldError */

const FIELDS = ["wallet", "side", "quantity", "type", "limitPrice", "timeInForce"];
const REQUIRED = {
  wallet: "Choose a wallet.",
  quantity: "Enter a quantity.",
  limitPrice: "Enter a price.",
};
const DECIMALS = 6;

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (byId(id));
}

/** The form. */
export class BatchTicket {
  /** @param {() => void} onPlaced */
  constructor(onPlaced) {
    this.onPlaced = onPlaced;
    this.intents = new Intents();
    this.form = /** @type {HTMLFormElement} */ (byId("batch-ticket"));
    this.sending = false;
    /** @type {any} */
    this.market = null;
    /** @type {any} the order that was sent last */
    this.placed = null;
    /** @type {Map<string, any>} frames that may tell of the order before its answer is here */
    this.early = new Map();
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
    this.form.addEventListener("input", () => this.edited());
  }

  /** @param {any} market the one that is traded, as it is now */
  trade(market) {
    const isOther = this.market?.market !== market.market;
    this.market = market;
    if (isOther) {
      fill(this.form, { base: market.base.symbol, quote: market.quote.symbol });
      const lot = units(market.lot, market.base.decimals);
      byId("quantity-hint").textContent = `In lots of ${amount(lot)} ${market.base.symbol}`;
      field("quantity").value = "";
      field("limitPrice").value = market.reference.price;
      this.placed = null;
      this.edited();
    }
    this.showSummary();
  }

  edited() {
    this.showErrors([]);
    this.tell("");
    const { side, type } = this.terms();
    byId("limit-field").hidden = type === "market";
    this.form.dataset.side = side;
    this.showButton();
    this.showSummary();
  }

  /** What the form asks, as the API takes it. */
  terms() {
    const data = new FormData(this.form);
    /** @param {string} name */
    const value = (name) => String(data.get(name) ?? "").trim();
    const type = value("type");
    return {
      wallet: value("wallet"),
      side: value("side"),
      type,
      quantity: value("quantity"),
      timeInForce: value("timeInForce"),
      ...(type === "limit" ? { limitPrice: value("limitPrice") } : {}),
    };
  }

  /** What the order would set aside; about, because the server counts in atoms. */
  showSummary() {
    const { base, quote, reference, collarBps, feeBps } = this.market;
    const { side, quantity, limitPrice } = this.terms();
    const collar = 1 + (side === "buy" ? collarBps : -collarBps) / 10_000;
    const price = limitPrice === undefined ? Number(reference.price) * collar : Number(limitPrice);
    const worth = Number(quantity) * price;
    const isKnown = worth > 0 && Number.isFinite(worth);
    const fee = (worth * feeBps) / 10_000;
    /** @param {string} text */
    const known = (text) => (isKnown ? text : "—");
    /** @param {number} value */
    const about = (value) => known(`≈ ${amount(value.toFixed(DECIMALS))} ${quote.symbol}`);
    const sold = known(`${amount(quantity)} ${base.symbol}`);
    fill(this.form, {
      worst: known(`${priceText(price)} ${quote.symbol}`),
      worth: about(worth),
      fee: about(fee),
      escrow: side === "buy" ? about(worth + fee) : sold,
    });
  }

  showButton() {
    const words = `${capitalized(this.terms().side)} ${this.market.base.symbol}`;
    const button = byId("place");
    button.setAttribute("aria-disabled", String(this.sending));
    button.textContent = this.sending ? "Sending…" : words;
  }

  async send() {
    if (this.sending) return;
    const body = this.terms();
    const missing = Object.entries(REQUIRED)
      .filter(([name]) => name in body && !body[/** @type {"wallet"} */ (name)])
      .map(([name, message]) => ({ field: name, code: "missing", message }));
    if (missing.length) {
      this.refuse(missing);
      return;
    }
    this.setSending(true);
    this.early.clear();
    const { market } = this.market;
    const idempotencyKey = this.intents.keyFor([market, body], performance.now());
    try {
      const path = `/api/batches/${encodeURIComponent(market)}/orders`;
      const order = await post(path, body, { idempotencyKey });
      this.intents.answered(performance.now());
      this.accepted(order);
    } catch (error) {
      this.failed(/** @type {Error} */ (error));
    }
    this.setSending(false);
  }

  /** @param {boolean} now */
  setSending(now) {
    this.sending = now;
    this.showButton();
  }

  /** @param {any} order */
  accepted(order) {
    if (order.market !== this.market.market) return;
    this.showErrors([]);
    if (order.id !== this.placed?.id) {
      this.placed = order;
      const { batchNo, receipt } = order;
      const words = `Accepted for batch #${batchNo}, receipt ${receipt.seq}.`;
      this.tell(`${words} Its escrow is on its way.`);
      const frame = this.early.get(order.id);
      if (frame) this.follow(frame);
    }
    this.onPlaced();
  }

  /** @param {any} frame that tells of an order */
  follow(frame) {
    const { id, status, data } = frame;
    // The answer has told that.
    if (status === "ESCROWING") return;
    if (id === this.placed?.id) this.tell(words(status, data, this.placed, this.market));
    else if (this.sending) this.early.set(id, frame);
  }

  /** @param {Error} error */
  failed(error) {
    if (error instanceof Refused) this.refuse(error.errors, `${error.message}.`);
    else if (error instanceof NoAnswer) {
      this.tell(`${error.message}. Send it again: it will not become a second order.`, "bad");
    } else throw error;
  }

  /**
   * @param {FieldError[]} errors
   * @param {string} [title] for where there are none
   */
  refuse(errors, title = "") {
    const others = this.showErrors(errors);
    const told = errors.length ? others.map(({ message }) => message) : [title];
    this.tell(told.join(" "), "bad");
    const first = this.form.querySelector('[aria-invalid="true"]');
    /** @type {HTMLElement | null} */ (first)?.focus();
  }

  /**
   * @param {FieldError[]} errors
   * @returns {FieldError[]} those of no field here
   */
  showErrors(errors) {
    for (const name of FIELDS) {
      const own = errors.filter((error) => error.field === name);
      say(byId(`${name}-error`), own.map(({ message }) => message).join(" "));
      if (own.length) byId(name).setAttribute("aria-invalid", "true");
      else byId(name).removeAttribute("aria-invalid");
    }
    return errors.filter((error) => !FIELDS.includes(error.field));
  }

  /**
   * @param {string} text
   * @param {"" | "bad"} [tone]
   */
  tell(text, tone = "") {
    const element = byId("batch-ticket-message");
    element.textContent = text;
    element.dataset.tone = tone;
  }
}

/**
 * What has happened to an order, as a sentence.
 * @param {string} status
 * @param {any} data
 * @param {any} order
 * @param {any} market
 */
export function words(status, data, { side, quantityLots }, { lot, base }) {
  const done = side === "buy" ? "Bought" : "Sold";
  if (data.lots) {
    const filled = amount(units(String(BigInt(data.lots) * BigInt(lot)), base.decimals));
    const left = `${data.remaining} of ${quantityLots} lots are left.`;
    const rest = status === "FILLED" ? "It is filled." : left;
    return `${done} ${filled} ${base.symbol} in batch #${data.batchNo}. ${rest}`;
  }
  if (status === "OPEN") return "Its escrow is in the vault: it is in the next batch.";
  if (status === "REVIEW") return "What became of its escrow is not known: a person looks at it.";
  return `${capitalized(status.toLowerCase())}${data.reason ? `: ${data.reason}` : ""}.`;
}
