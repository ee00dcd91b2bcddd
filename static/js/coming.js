/** The coming batches, each with its count-down. */

import { Clock, countdown } from "./countdown.js";
import { byId, fill, slot, stamp } from "./dom.js";
import { amount } from "./format.js";

const EVERY_MS = 100;
// What is so far past is in the list of batches, or had no orders.
const GONE_MS = -2_500;

export const LANES = { AOT: "AOT reserved", JIT: "JIT reserved", NORMAL: "Normal lane" };
const STATES = { PLANNED: "Takes orders", CLOSED: "Closed, anchoring", COMMITTED: "Anchored" };
const RESERVATIONS = {
  NEW: "about to bid",
  BIDDING: "bidding",
  WON: "slot won",
  OUTBID: "outbid",
  CANCELLED: "bid withdrawn",
  REJECTED: "bid refused",
  SUBMITTED: "handed over",
  PRECONFIRMED: "preconfirmed",
  INCLUDED: "included",
  REVERTED: "reverted",
  FAILED: "slot missed",
  EXPIRED_UNUSED: "slot unused",
};

/**
 * @param {HTMLElement} element
 * @param {keyof typeof LANES} lane
 */
export function showLane(element, lane) {
  element.dataset.lane = lane;
  element.textContent = LANES[lane];
}

/**
 * @param {keyof typeof STATES} status
 * @param {number} left ms until its slot
 * @param {boolean} paused whether its market is
 */
function stateOf(status, left, paused) {
  if (status === "PLANNED" && paused) return "Paused";
  // The rows of batches that nobody had an order for are not kept.
  if (status === "PLANNED" && left <= 0) return "Not closed";
  return STATES[status];
}

/** The list, and how long it is until the first of it. */
export class Coming {
  constructor() {
    /** @type {Map<number, {batch: any, row: HTMLElement}>} */
    this.batches = new Map();
    this.clock = new Clock();
    this.isLive = false;
    this.paused = false;
    // The last one that something was decided about: what counts down is up to a second old.
    this.decided = 0;
    setInterval(() => document.hidden || this.tick(), EVERY_MS);
  }

  /** @param {any[]} batches all that are to be shown from now on */
  replace(batches) {
    this.batches.clear();
    this.decided = 0;
    byId("coming").replaceChildren();
    for (const batch of batches) this.put(batch);
    this.tick();
  }

  /** @param {any} frame of the count-down */
  count(frame) {
    this.clock.learn(frame.eta, frame.remainingMs, Date.now());
    if (frame.batchNo > this.decided && frame.remainingMs > GONE_MS) this.put(frame);
  }

  /**
   * What is known anew of a batch that is shown.
   * @param {any} change with its `batchNo`
   */
  update(change) {
    if (this.batches.has(change.batchNo)) this.put(change);
  }

  /** @param {any} batch as the API or a count-down's frame tells it */
  put(batch) {
    const known = this.batches.get(batch.batchNo);
    const row = known?.row ?? stamp("coming-batch");
    const merged = { ...known?.batch, ...batch };
    this.batches.set(batch.batchNo, { batch: merged, row });
    const { batchNo, slot: number, status, lane, orders, reservation } = merged;
    fill(row, {
      number: `#${batchNo}`,
      slot: number === null ? "slot open" : `slot ${amount(String(number))}`,
      reservation: RESERVATIONS[reservation?.state] ?? "",
      orders: orders ? `${orders} ${orders === 1 ? "order" : "orders"}` : "",
    });
    showLane(slot(row, "lane"), lane);
    row.dataset.status = status;
    if (!known) this.insert(batchNo, row);
  }

  /**
   * @param {number} number
   * @param {HTMLElement} row
   */
  insert(number, row) {
    const later = [...this.batches.keys()].filter((other) => other > number);
    const next = this.batches.get(Math.min(...later));
    byId("coming").insertBefore(row, next?.row ?? null);
  }

  /** @param {number} number it is decided about */
  decide(number) {
    this.decided = Math.max(this.decided, number);
    this.drop(number);
  }

  /** @param {number} number */
  drop(number) {
    this.batches.get(number)?.row.remove();
    this.batches.delete(number);
  }

  /** @param {boolean} isLive whether somebody tells of batches */
  connected(isLive) {
    this.isLive = isLive;
    byId("coming").classList.toggle("stale", !isLive);
  }

  tick() {
    const now = Date.now();
    /** @type {any} */
    let next = null;
    for (const [number, { batch, row }] of this.batches) {
      const left = this.clock.left(batch.eta, now);
      if (left < GONE_MS) {
        this.drop(number);
        continue;
      }
      fill(row, { eta: countdown(left), state: stateOf(batch.status, left, this.paused) });
      row.classList.toggle("due", left <= 0);
      if (left > 0 && (!next || batch.batchNo < next.batchNo)) next = { ...batch, left };
    }
    fill(byId("figures"), {
      countdown: next ? countdown(next.left) : "—",
      next: next ? `#${next.batchNo} · ${LANES[/** @type {"AOT"} */ (next.lane)]}` : "",
    });
    byId("coming-empty").hidden = this.batches.size > 0;
    byId("coming-empty").textContent = this.isLive
      ? "No batch is planned. The coordinator plans the next ones."
      : "The coming batches are not known while the live updates are interrupted.";
  }
}
