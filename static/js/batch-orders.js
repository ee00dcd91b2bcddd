/** The table of one's orders in a market. */

import { get, remove } from "./api.js";
import { prove } from "./checks.js";
import { byId, fill, say, slot, stamp } from "./dom.js";
import { amount, capitalized, short, showTime, tokens } from "./format.js";
import { Rows } from "./rows.js";
import { showStatus } from "./status.js";

const LIMIT = 12;
// Events of many orders come together, and one look is enough for all of them.
const PAUSE_MS = 700;
const CANCELLABLE = new Set(["ESCROWING", "OPEN"]);
const KINDS = { limit: "", market: " at market" };

/** The newest orders, looked at anew when something happened to one. */
export class BatchOrders {
  /**
   * @param {() => any} market the one that is shown
   * @param {Record<string, string>} wallets names by address
   */
  constructor(market, wallets) {
    this.market = market;
    this.wallets = wallets;
    this.timer = 0;
    this.lastLook = -PAUSE_MS;
    this.loads = 0;
    const newRow = () => stamp("order-row");
    this.rows = new Rows("mine", newRow, (row, order) => this.fillRow(row, order));
  }

  /** Look soon; at once where the last look is long ago. */
  outdated() {
    const wait = Math.max(0, this.lastLook + PAUSE_MS - performance.now());
    this.timer ||= setTimeout(() => this.load(), wait);
  }

  /** Another market is shown from now on. */
  clear() {
    this.loads += 1;
    this.rows.show([]);
    say(byId("mine-notice"), "");
    byId("mine-empty").textContent = "Loading…";
  }

  async load() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.lastLook = performance.now();
    const load = ++this.loads;
    try {
      const { orders } = await get(this.path(`?limit=${LIMIT}`));
      if (load !== this.loads) return;
      byId("mine-empty").textContent = "No orders in this market yet.";
      this.rows.show(orders);
      say(byId("mine-notice"), "");
    } catch (error) {
      if (load !== this.loads) return;
      const words = /** @type {Error} */ (error).message;
      say(byId("mine-notice"), `The orders could not be read: ${words}.`);
    }
  }

  /** @param {string} rest */
  path(rest) {
    return `/api/batches/${encodeURIComponent(this.market().market)}/orders${rest}`;
  }

  /**
   * @param {HTMLElement} row
   * @param {any} order
   */
  fillRow(row, order) {
    const { base } = this.market();
    const name = `${capitalized(order.side)}${KINDS[order.type]}`;
    fill(row, {
      side: name,
      hash: short(order.hash),
      wallet: this.wallets[order.wallet] ?? short(order.wallet),
      quantity: tokens(order.quantity, base.symbol),
      limit: amount(order.limitPrice),
      filled: filledOf(order),
      age: String(order.age),
      reason: order.reason,
    });
    row.dataset.side = order.side;
    slot(row, "hash").title = order.hash;
    slot(row, "wallet").title = order.wallet;
    showTime(/** @type {HTMLTimeElement} */ (slot(row, "time")), order.createdAt);
    showStatus(slot(row, "status"), order.status);
    const proof = /** @type {HTMLButtonElement} */ (slot(row, "proof"));
    proof.hidden = order.age === 0;
    proof.setAttribute("aria-label", `Proof of ${name} ${short(order.hash)}`);
    proof.onclick = () => this.prove(order);
    const cancel = /** @type {HTMLButtonElement} */ (slot(row, "cancel"));
    cancel.hidden = !CANCELLABLE.has(order.status) || order.cancelling;
    cancel.setAttribute("aria-label", `Cancel ${name} ${short(order.hash)}`);
    cancel.onclick = () => this.cancel(order.hash, cancel);
  }

  /** @param {any} order that was in some batch */
  prove({ market, batchNo, hash }) {
    // It waits for the batch after the last one that it was in.
    return prove(market, batchNo - 1, hash, this.market().address);
  }

  /**
   * @param {string} hash
   * @param {HTMLButtonElement} button
   */
  async cancel(hash, button) {
    button.disabled = true;
    let problem = "";
    try {
      await remove(this.path(`/${hash}`));
    } catch (error) {
      problem = `${/** @type {Error} */ (error).message}.`;
    }
    await this.load();
    if (problem) say(byId("mine-notice"), problem);
    button.disabled = false;
  }
}

/** @param {any} order */
function filledOf({ filledLots, quantityLots }) {
  if (filledLots === quantityLots) return "100 %";
  return `${(Math.floor((filledLots * 1000) / quantityLots) / 10).toFixed(1)} %`;
}
