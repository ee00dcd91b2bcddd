/** Demand and supply of a batch, and the price at which they met. */

import { Chart, across, bottomLabels, element, levels, upwards } from "./chart.js";
import { byId, say } from "./dom.js";
import { amount, poolPart, price as priceText, tokens } from "./format.js";
import { demandAt, demandPath, marks, rangeOf, supplyAt, supplyPath } from "./steps.js";

const LEVELS = 3;
const PIXELS_A_PRICE = 80;

/** The panel of the last clearing. */
export class ClearingChart {
  constructor() {
    this.chart = new Chart(byId("clearing"));
    this.shown = "";
  }

  clear() {
    this.chart.hide();
    this.shown = "";
    say(byId("clearing-words"), "");
    say(byId("clearing-pool"), "");
    byId("clearing-legend").hidden = true;
    byId("clearing-empty").hidden = false;
  }

  /**
   * @param {any} batch with its curve
   * @param {any} market
   */
  show(batch, market) {
    const shown = `${batch.market} ${batch.batchNo} ${batch.fills}`;
    if (shown === this.shown) return;
    this.shown = shown;
    const price = `${amount(batch.clearingPrice)} ${market.quote.symbol}`;
    const volume = tokens(batch.volume, market.base.symbol);
    const filled = `${batch.fills} of ${batch.orders} orders filled`;
    say(byId("clearing-words"), `#${batch.batchNo}: ${volume} at ${price} · ${filled}`);
    const pool = poolPart(batch.pool, market.base.symbol);
    say(byId("clearing-pool"), pool && `Of the volume, ${pool}, which the curves leave out`);
    byId("clearing-legend").hidden = false;
    byId("clearing-empty").hidden = true;
    const words =
      `Demand and supply of batch ${batch.batchNo}:` +
      ` they met at ${price}, where ${volume} changed hands. ${filled}.` +
      (pool && ` ${pool}.`);
    this.chart.show(words, (frame) => parts(frame, batch, market, price));
  }
}

/**
 * @param {import("./chart.js").Frame} frame
 * @param {any} batch
 * @param {any} market
 * @param {string} label
 */
function parts(frame, { curve, clearingTick, volumeLots }, market, label) {
  const { demand, supply } = curve;
  const range = rangeOf(curve, clearingTick);
  const most = Math.max(1, demandAt(demand, range[0]), supplyAt(supply, range[1]));
  const x = across(frame, range);
  const y = upwards(frame, [0, most * 1.08]);
  // Rounded as prices are: what one tick and one lot are worth is exact only in atoms.
  const tickWorth = Number(market.reference.price) / market.reference.tick;
  const lotWorth = Number(market.lot) / 10 ** market.base.decimals;
  const prices = /** @type {[number, number]} */ (range.map((tick) => tick * tickWorth));
  const count = Math.max(2, Math.floor((frame.right - frame.left) / PIXELS_A_PRICE));
  const volumes = marks([0, most * lotWorth], LEVELS).filter((volume) => volume > 0);
  const [demanded, supplied] = [demandPath(demand, range, x, y), supplyPath(supply, range, x, y)];
  const floor = `V${frame.bottom}H${frame.left}Z`;
  const at = x(clearingTick);
  return [
    element("path", { class: "area demand", d: demanded + floor }),
    element("path", { class: "area supply", d: supplied + floor }),
    element("line", axis(frame)),
    element("path", { class: "curve demand", d: demanded }),
    element("path", { class: "curve supply", d: supplied }),
    ...levels(frame, volumes, (volume) => y(volume / lotWorth), (volume) =>
      tokens(priceText(volume), market.base.symbol)),
    element("line", { class: "price", x1: at, x2: at, y1: frame.top - 4, y2: frame.bottom }),
    element("circle", { class: "point", r: 4.5, cx: at, cy: y(volumeLots) }),
    element("text", { class: "label strong middle", x: at, y: frame.top - 9 }, label),
    ...bottomLabels(
      frame,
      marks(prices, count).map((value) => [x(value / tickWorth), priceText(value)]),
    ),
  ];
}

/** @param {import("./chart.js").Frame} frame */
function axis({ left, right, bottom }) {
  return { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom };
}
