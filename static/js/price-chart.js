/** The prices that batches traded at, over time; a slider over them tells each. */

import { Chart, across, bottomLabels, element, levels, upwards } from "./chart.js";
import { byId, say } from "./dom.js";
import { amount, price as priceText } from "./format.js";
import { marks } from "./steps.js";

/** @typedef {{batchNo: number, at: string, tick: number, price: string}} Point */

const LEVELS = 4;
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" });

/** The panel of the prices. */
export class PriceChart {
  constructor() {
    this.chart = new Chart(byId("prices"));
    this.slider = /** @type {HTMLInputElement} */ (byId("prices-slider"));
    /** @type {Point[]} */
    this.points = [];
    this.symbol = "";
    /** @type {number | null} the batch that is pointed at; null for the newest */
    this.chosen = null;
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    this.slider.addEventListener("blur", () => this.choose(null));
    this.slider.addEventListener("pointermove", (event) => this.choose(this.under(event.offsetX)));
    this.slider.addEventListener("pointerleave", () => this.choose(null));
  }

  /**
   * @param {Point[]} points the oldest first
   * @param {string} symbol of the quote token
   */
  show(points, symbol) {
    this.points = points;
    this.symbol = symbol;
    byId("prices-empty").hidden = points.length > 0;
    this.paint();
  }

  /** @param {number | null} index of a point */
  choose(index) {
    const point = index === null ? null : this.points[index];
    this.chosen = point?.batchNo ?? null;
    this.paint();
  }

  /** @param {number} x where the pointer is, from the left of the drawing */
  under(x) {
    const share = x / (this.slider.clientWidth || 1);
    const first = this.points[0]?.batchNo ?? 0;
    const wanted = first + share * ((this.points.at(-1)?.batchNo ?? 0) - first);
    const distances = this.points.map(({ batchNo }) => Math.abs(batchNo - wanted));
    return distances.indexOf(Math.min(...distances));
  }

  paint() {
    const { points, slider } = this;
    slider.hidden = points.length < 2;
    if (!points.length) {
      this.chart.hide();
      say(byId("price-words"), "");
      return;
    }
    const found = points.findIndex(({ batchNo }) => batchNo === this.chosen);
    const index = found === -1 ? points.length - 1 : found;
    const told = this.told(points[index]);
    slider.max = String(points.length - 1);
    slider.value = String(index);
    slider.setAttribute("aria-valuetext", told);
    say(byId("price-words"), told);
    const ticks = points.map(({ tick }) => tick);
    const [low, high] = [Math.min(...ticks), Math.max(...ticks)].map((tick) => this.text(tick));
    const words =
      `The last ${points.length} prices, from ${low} to ${high} ${this.symbol}.` +
      ` The newest: ${this.told(/** @type {Point} */ (points.at(-1)))}.`;
    this.chart.show(words, (frame) => this.parts(frame, index));
  }

  /** @param {Point} point */
  told({ price, batchNo, at }) {
    return `${amount(price)} ${this.symbol} · #${batchNo} · ${CLOCK.format(new Date(at))}`;
  }

  /** @param {number} tick */
  text(tick) {
    return priceText(tick * this.worth());
  }

  /** What one tick is in quote tokens per base token. */
  worth() {
    const [{ price, tick }] = this.points;
    return Number(price) / tick;
  }

  /**
   * @param {import("./chart.js").Frame} frame
   * @param {number} index of the point that is told
   */
  parts(frame, index) {
    const { points } = this;
    const [first, last] = [points[0], /** @type {Point} */ (points.at(-1))];
    const ticks = points.map(({ tick }) => tick);
    const [low, high] = [Math.min(...ticks), Math.max(...ticks)];
    const room = Math.max(1, (high - low) * 0.12);
    const x = across(frame, [first.batchNo, Math.max(first.batchNo + 1, last.batchNo)]);
    const y = upwards(frame, [low - room, high + room]);
    const worth = this.worth();
    const prices = marks([(low - room) * worth, (high + room) * worth], LEVELS);
    const line = `M${points.map(({ batchNo, tick }) => `${x(batchNo)},${y(tick)}`).join("L")}`;
    const floor = `V${frame.bottom}H${x(first.batchNo)}Z`;
    const { left, right, top, bottom } = frame;
    const at = { x: x(points[index].batchNo), y: y(points[index].tick) };
    const times = [first, last].map(({ at: time }) => CLOCK.format(new Date(time)));
    return [
      element("path", { class: "area prices", d: line + floor }),
      element("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
      element("line", { class: "cursor", x1: at.x, x2: at.x, y1: top, y2: bottom }),
      element("path", { class: "curve prices", d: line }),
      ...levels(frame, prices, (value) => y(value / worth), priceText),
      element("circle", { class: "point", r: 4, cx: at.x, cy: at.y }),
      ...bottomLabels(frame, points.length > 1 ? [[left, times[0]], [right, times[1]]] : []),
    ];
  }
}
