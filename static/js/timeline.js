/** The history of one order or other object, each entry in words. */

import { fill, slot, stamp } from "./dom.js";
import { capitalized, duration, percent, price, short, showTime, tokens } from "./format.js";
import { showStatus } from "./status.js";

/** @typedef {import("./order-state.js").Frame} Frame */
/** @typedef {import("./order-state.js").Order} Order */

/** A list that shows every entry once, in the order of `seq`. */
export class Timeline {
  /**
   * @param {HTMLElement} list
   * @param {(entry: Frame, object: any) => string} [tell] what an entry says, as a sentence
   */
  constructor(list, tell = words) {
    this.list = list;
    this.tell = tell;
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    this.last = 0;
    this.startedAt = 0;
    /** @type {Set<string>} every status so far */
    this.statuses = new Set();
  }

  /**
   * @param {Frame} entry
   * @param {Order} order
   * @returns {boolean} whether it was new
   */
  add(entry, order) {
    if (entry.seq <= this.last) return false;
    const at = Date.parse(entry.timestamp);
    if (this.last === 0) this.startedAt = at;
    this.last = entry.seq;
    this.statuses.add(entry.status);
    const item = stamp("timeline-entry");
    showStatus(slot(item, "status"), entry.status);
    fill(item, { words: this.tell(entry, order) });
    const time = /** @type {HTMLTimeElement} */ (slot(item, "time"));
    showTime(time, entry.timestamp);
    if (entry.seq > 1) time.textContent += ` · +${duration(at - this.startedAt)}`;
    this.list.append(item);
    return true;
  }
}

/**
 * What an entry tells, as a sentence.
 * @param {Frame} entry
 * @param {Order} order
 * @returns {string}
 */
export function words(entry, order) {
  const { status, seq, data } = entry;
  if (data.inputAmount && status === "PENDING") {
    const swap = `${tokens(data.inputAmount, data.inputToken)} → ${data.outputToken}`;
    const title = seq === 1 ? "Accepted" : "New terms";
    return `${title}: ${swap}, slippage up to ${percent(data.slippageBps)}`;
  }
  return (TELL[status] ?? (() => sentence(data.reason)))(data, order);
}

/** @type {Record<string, (data: Record<string, any>, order: Order) => string>} */
const TELL = {
  PENDING: (data) =>
    data.reason
      ? `Trying again in ${duration(data.retryInMs ?? 0)}: ${data.reason}`
      : "Goes on",
  ROUTING: (data) => (data.try > 1 ? `Asking the venues, try ${data.try}` : "Asking the venues"),
  BUILDING: (data, order) =>
    `${capitalized(data.venue)} chosen: ${tokens(data.quotedAmount, order.outputToken)} quoted, ` +
    `at least ${tokens(data.minOutputAmount, order.outputToken)}`,
  SUBMITTED: (data) =>
    data.txHash ? `Sent to Solana: transaction ${short(data.txHash)}` : "Back to what was sent",
  CONFIRMED: (data, order) =>
    `Received ${tokens(data.outputAmount, order.outputToken)} for ` +
    `${tokens(data.spentAmount, order.inputToken)}, at ${price(data.executedPrice)}`,
  CANCELLED: (data) =>
    `Cancelled${data.by ? ` by ${data.by}` : ""}${data.reason ? `: ${data.reason}` : ""}`,
  REVIEW: (data) => `Set aside for an operator: ${data.reason ?? ""}`,
};

/** @param {string | undefined} reason */
function sentence(reason) {
  return reason ? capitalized(reason) : "";
}
