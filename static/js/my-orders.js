/** The table of the newest orders, live. */

import { get, post } from "./api.js";
import { byId, fill, say, slot, stamp } from "./dom.js";
import { amount, capitalized, price, short, showTime, tokens } from "./format.js";
import { OrderBook } from "./order-book.js";
import { isCancellable } from "./order-state.js";
import { follow, showConnection } from "./socket.js";
import { showStatus } from "./status.js";

/** @typedef {import("./order-state.js").Order} Order */
/** @typedef {import("./order-state.js").Frame} Frame */

// After a longer absence, a fresh list costs less than everything that happened.
const RESUMABLE_MS = 60_000;

/** The table, its filter and its feed. */
export class MyOrders {
  /**
   * @param {{orders: Order[], position: number, limit: number,
   *   wallets: Record<string, string>}} page
   * @param {() => string} chosenWallet
   */
  constructor(page, chosenWallet) {
    this.page = page;
    this.chosenWallet = chosenWallet;
    this.position = page.position;
    this.lastHeard = performance.now();
    /** @type {Frame[] | null} frames that arrive while the list is fetched */
    this.waiting = null;
    this.loads = 0;
    /** @type {Map<string, {row: HTMLElement, seq: number}>} */
    this.rows = new Map();
    this.painting = 0;
    this.filter = /** @type {HTMLInputElement} */ (byId("only-this-wallet"));
    this.filter.checked = false;
    this.filter.addEventListener("change", () => this.load());
    this.book = new OrderBook({
      limit: page.limit,
      fetchOrder: (orderId) => get(`/api/orders/${orderId}`),
      wanted: (order) => !this.filter.checked || order.userWallet === this.chosenWallet(),
      onChange: () => {
        this.painting ||= requestAnimationFrame(() => this.paint());
      },
    });
    this.book.replace(page.orders);
    follow({
      path: () => this.path(),
      onFrame: (frame) => this.receive(frame),
      onConnection: (connection) => showConnection(byId("orders-connection"), connection),
    });
  }

  /** The wallet in the form is another one. */
  walletChanged() {
    if (this.filter.checked) void this.load();
  }

  path() {
    const resumable = performance.now() - this.lastHeard < RESUMABLE_MS;
    return `/api/orders/ws${resumable ? `?since=${this.position}` : ""}`;
  }

  /** @param {any} frame */
  receive(frame) {
    this.lastHeard = performance.now();
    this.position = frame.position;
    if (frame.type === "snapshot") void this.load();
    else if (frame.type === "status" && this.waiting) this.waiting.push(frame);
    else if (frame.type === "status") this.book.take(frame);
  }

  /** Fetch the list; what happens in the meantime is applied to it afterwards. */
  async load() {
    const load = ++this.loads;
    const waiting = (this.waiting ??= []);
    const query = new URLSearchParams({ limit: String(this.page.limit) });
    if (this.filter.checked) query.set("wallet", this.chosenWallet());
    /** @type {Order[] | null} */
    let orders = null;
    let problem = "";
    try {
      orders = (await get(`/api/orders?${query}`)).results;
    } catch (error) {
      problem = `The list could not be loaded: ${/** @type {Error} */ (error).message}.`;
    }
    // A later load is under way and takes over what waits.
    if (load !== this.loads) return;
    if (orders) this.book.replace(orders);
    say(byId("orders-notice"), problem);
    this.waiting = null;
    for (const frame of waiting) this.book.take(frame);
  }

  paint() {
    this.painting = 0;
    const orders = this.book.newest();
    const body = byId("orders").querySelector("tbody");
    byId("orders").hidden = orders.length === 0;
    byId("orders-empty").hidden = orders.length > 0;
    const shown = new Set(orders.map((order) => order.orderId));
    for (const [orderId, { row }] of this.rows) {
      if (shown.has(orderId)) continue;
      row.remove();
      this.rows.delete(orderId);
    }
    orders.forEach((order, index) => {
      const row = this.row(order);
      // Rows stay where they are unless they must move, so that focus is kept.
      if (body?.children[index] !== row) body?.insertBefore(row, body.children[index] ?? null);
    });
  }

  /** @param {Order} order */
  row(order) {
    const shown = this.rows.get(order.orderId) ?? { row: this.newRow(order), seq: -1 };
    if (shown.seq !== order.seq) this.fillRow(shown.row, order);
    shown.seq = order.seq;
    this.rows.set(order.orderId, shown);
    return shown.row;
  }

  /** @param {Order} order */
  newRow(order) {
    const row = stamp("order-row");
    const link = /** @type {HTMLAnchorElement} */ (slot(row, "link"));
    link.href = `/orders/${order.orderId}`;
    const cancel = /** @type {HTMLButtonElement} */ (slot(row, "cancel"));
    cancel.addEventListener("click", () => this.cancel(order.orderId, cancel));
    return row;
  }

  /**
   * @param {HTMLElement} row
   * @param {Order} order
   */
  fillRow(row, order) {
    const received = order.outputAmount
      ? tokens(order.outputAmount, order.outputToken, 6)
      : order.quotedAmount && `≈ ${tokens(order.quotedAmount, order.outputToken, 6)}`;
    fill(row, {
      link: `${order.inputToken} → ${order.outputToken}`,
      wallet: this.page.wallets[order.userWallet] ?? short(order.userWallet),
      paid: tokens(order.spentAmount ?? order.inputAmount, order.inputToken, 6),
      received: received || amount(null),
      price: price(order.executedPrice),
      venue: order.venue ? capitalized(order.venue) : "—",
    });
    slot(row, "received").classList.toggle("muted", !order.outputAmount);
    showTime(/** @type {HTMLTimeElement} */ (slot(row, "time")), order.createdAt);
    const status = slot(row, "status");
    showStatus(status, order.status);
    status.title = order.failure?.reason ?? "";
    const cancel = slot(row, "cancel");
    cancel.hidden = !isCancellable(order.status);
    cancel.setAttribute("aria-label", `Cancel ${order.inputToken} → ${order.outputToken}`);
  }

  /**
   * @param {string} orderId
   * @param {HTMLButtonElement} button
   */
  async cancel(orderId, button) {
    button.disabled = true;
    try {
      this.book.put(await post(`/api/orders/${orderId}/cancel`));
      say(byId("orders-notice"), "");
    } catch (error) {
      say(byId("orders-notice"), `${/** @type {Error} */ (error).message}.`);
    }
    button.disabled = false;
  }
}
