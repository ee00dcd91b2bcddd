/** The table of the last batches. */

import { verify } from "./checks.js";
import { showLane } from "./coming.js";
import { fill, slot, stamp } from "./dom.js";
import { amount, poolPart, short, tokens } from "./format.js";
import { Rows } from "./rows.js";
import { showStatus } from "./status.js";

const LIMIT = 20;

/** The newest batches that something was decided about. */
export class PastBatches {
  /** @param {() => any} market the one that is shown */
  constructor(market) {
    this.market = market;
    /** @type {any[]} newest first */
    this.batches = [];
    const newRow = () => stamp("batch-row");
    this.rows = new Rows("past", newRow, (row, batch) => this.fillRow(row, batch));
  }

  /** @param {any[]} batches all that are to be shown from now on */
  replace(batches) {
    this.batches = batches.slice(0, LIMIT);
    this.rows.show(this.batches);
  }

  /** @param {any} batch as it is now */
  put(batch) {
    const known = this.batches.find(({ id }) => id === batch.id);
    // Answers may overtake each other.
    if (known && known.updatedAt > batch.updatedAt) return;
    const others = this.batches.filter(({ id }) => id !== batch.id);
    this.replace([batch, ...others].sort((a, b) => b.batchNo - a.batchNo));
  }

  /** The newest one that traded. */
  get traded() {
    return this.batches.find(({ clearingTick }) => clearingTick !== null);
  }

  /**
   * @param {HTMLElement} row
   * @param {any} batch
   */
  fillRow(row, batch) {
    const { market, batchNo, anchorSignature } = batch;
    const traded = batch.clearingTick !== null;
    fill(row, {
      number: `#${batchNo}`,
      slot: batch.slot === null ? "—" : amount(String(batch.slot)),
      orders: `${batch.fills} of ${batch.orders}`,
      price: amount(batch.clearingPrice),
      volume: traded ? tokens(batch.volume, this.market().base.symbol) : "—",
      anchor: anchorSignature ? short(anchorSignature) : "—",
      reason: batch.reason || poolPart(batch.pool, this.market().base.symbol),
    });
    showLane(slot(row, "lane"), batch.lane);
    showStatus(slot(row, "status"), batch.status);
    slot(row, "anchor").title = anchorSignature ?? "";
    const check = /** @type {HTMLButtonElement} */ (slot(row, "verify"));
    const bundle = /** @type {HTMLAnchorElement} */ (slot(row, "bundle"));
    check.onclick = () => verify(market, batchNo);
    check.setAttribute("aria-label", `Verify batch ${batchNo}`);
    bundle.href = `/api/batches/${encodeURIComponent(market)}/${batchNo}/bundle`;
    bundle.setAttribute("aria-label", `Bundle of batch ${batchNo}`);
    // A batch that ended before its orders were fixed has nothing to publish.
    check.hidden = bundle.hidden = batch.merkleRoot === null;
  }
}
