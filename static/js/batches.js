/** The page of fair batches: one market at a time, live. */

import { get } from "./api.js";
import { BatchOrders } from "./batch-orders.js";
import { BatchTicket } from "./batch-ticket.js";
import { ClearingChart } from "./clearing-chart.js";
import { Coming } from "./coming.js";
import { byId, fill, pageData, say } from "./dom.js";
import { amount, percent, tokens, units } from "./format.js";
import { PastBatches } from "./past-batches.js";
import { PriceChart } from "./price-chart.js";
import { follow, showConnection } from "./socket.js";

const PRICES = 200;
// What no frame tells: pauses, and how reservations go.
const LOOK_EVERY_MS = 3_000;

/** One market, live. */
class MarketPage {
  /** @param {any} page what the server put into it */
  constructor({ markets, wallets }) {
    this.markets = markets;
    /** @type {any} */
    this.market = null;
    /** @type {any[]} */
    this.prices = [];
    const market = () => this.market;
    this.coming = new Coming();
    this.past = new PastBatches(market);
    this.orders = new BatchOrders(market, wallets);
    this.ticket = new BatchTicket(() => this.orders.outdated());
    this.clearing = new ClearingChart();
    this.history = new PriceChart();
    byId("no-markets").hidden = markets.length > 0;
    if (!markets.length) return;
    this.showMarkets();
    addEventListener("hashchange", () => this.choose(named(markets) ?? this.market));
    this.choose(named(markets) ?? usual(markets));
    void this.watch();
  }

  showMarkets() {
    const links = this.markets.map((/** @type {any} */ { market }) => {
      const link = document.createElement("a");
      link.href = `#${encodeURIComponent(market)}`;
      link.textContent = market;
      return link;
    });
    byId("markets").replaceChildren(...links);
  }

  /** @param {any} market */
  choose(market) {
    if (market.market === this.market?.market) return;
    this.feed?.close();
    this.market = market;
    for (const link of byId("markets").children) {
      if (link.textContent === market.market) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    byId("loading").hidden = false;
    byId("market").hidden = true;
    say(byId("batches-notice"), "");
    this.orders.clear();
    this.clearing.clear();
    this.feed = follow({
      path: () => `/ws/batches/${encodeURIComponent(market.market)}`,
      onFrame: (frame) => this.receive(frame),
      onConnection: (connection) => {
        showConnection(byId("batches-connection"), connection);
        this.coming.connected(connection.kind === "live");
      },
    });
  }

  /** @param {any} frame */
  receive(frame) {
    switch (frame.type) {
      case "snapshot":
        this.begin(frame);
        break;
      case "COUNTDOWN_TICK":
        this.coming.count(frame);
        break;
      case "INCLUSION_PUBLISHED":
        this.coming.update({ batchNo: frame.batchNo, status: "COMMITTED" });
        break;
      case "batch":
        if (frame.status === "CLOSED") this.coming.update({ ...frame.data, status: "CLOSED" });
        else void this.lookAt(frame.batchNo);
        break;
      case "BATCH_SETTLED":
      case "BATCH_FAILED":
        void this.lookAt(frame.batchNo);
        break;
      case "order":
        this.ticket.follow(frame);
        this.orders.outdated();
    }
  }

  /** @param {any} snapshot */
  begin({ market, coming, batches, prices }) {
    byId("loading").hidden = true;
    byId("market").hidden = false;
    this.prices = prices;
    this.showTerms(market);
    this.coming.replace(coming);
    this.past.replace(batches);
    this.showPrices();
    if (this.past.traded) void this.lookAt(this.past.traded.batchNo);
    void this.orders.load();
  }

  /** @param {any} market as it is now */
  showTerms(market) {
    this.market = market;
    const { base, quote, reference, cadenceMs, feeBps, collarBps, lot, paused, active, pool } = market;
    fill(byId("figures"), {
      reference: `${amount(reference.price)} ${quote.symbol}`,
      cadence: `${cadenceMs / 1000} s`,
      fee: percent(feeBps),
      collar: `± ${percent(collarBps)}`,
      lot: `${amount(units(lot, base.decimals))} ${base.symbol}`,
      pool: pool
        ? `${tokens(pool.base, base.symbol, 2)} and ${tokens(pool.quote, quote.symbol, 2)}`
        : "",
    });
    byId("pool").hidden = pool === null;
    byId("paused").hidden = !paused;
    this.coming.paused = paused;
    byId("closed").hidden = active;
    this.ticket.trade(market);
  }

  /**
   * A batch has come further.
   * @param {number} number
   */
  async lookAt(number) {
    const { market } = this.market;
    let batch;
    try {
      batch = await get(`/api/batches/${encodeURIComponent(market)}/${number}`);
    } catch (error) {
      const words = /** @type {Error} */ (error).message;
      say(byId("batches-notice"), `Batch #${number} could not be read: ${words}.`);
      return;
    }
    if (market !== this.market.market) return;
    say(byId("batches-notice"), "");
    this.coming.decide(number);
    this.past.put(batch);
    if (batch.clearingTick === null) return;
    if (!this.prices.some(({ batchNo }) => batchNo === number)) {
      const { updatedAt: at, clearingTick: tick, clearingPrice: price } = batch;
      const prices = [...this.prices, { batchNo: number, at, tick, price }];
      this.prices = prices.sort((a, b) => a.batchNo - b.batchNo).slice(-PRICES);
      this.showPrices();
    }
    if (this.past.traded?.batchNo === number) this.clearing.show(batch, this.market);
  }

  showPrices() {
    const { quote } = this.market;
    const [before, last] = [this.prices.at(-2), this.prices.at(-1)];
    fill(byId("figures"), { last: last ? `${amount(last.price)} ${quote.symbol}` : "—" });
    const way = Math.sign((last?.tick ?? 0) - (before?.tick ?? last?.tick ?? 0));
    byId("last-way").dataset.way = String(way);
    byId("last-way").textContent = way > 0 ? "up" : way < 0 ? "down" : "";
    this.history.show(this.prices, quote.symbol);
  }

  /** Look at what no frame tells, while somebody can see it. */
  async watch() {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      if (document.hidden || byId("market").hidden) continue;
      const { market } = this.market;
      try {
        const planned = `/api/batches?market=${encodeURIComponent(market)}&status=PLANNED&limit=20`;
        const [{ markets }, { batches }] = await Promise.all([get("/api/markets"), get(planned)]);
        if (market !== this.market.market) continue;
        this.showTerms(markets.find((/** @type {any} */ one) => one.market === market));
        for (const { batchNo, reservation } of batches) {
          this.coming.update({ batchNo, reservation });
        }
      } catch {
        // The connection says how things are; the next look brings what is missing.
      }
    }
  }
}

/**
 * The market that the page's address names, if there is one.
 * @param {any[]} markets
 */
function named(markets) {
  return markets.find(({ market }) => `#${encodeURIComponent(market)}` === location.hash);
}

/** @param {any[]} markets */
function usual(markets) {
  return markets.find(({ market }) => market.startsWith("SOL-")) ?? markets[0];
}

new MarketPage(pageData("page-data"));
