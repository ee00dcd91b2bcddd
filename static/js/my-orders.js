/** The table of the newest orders, live. */

import { get, post } from "./api.js";
import { byId, fill, slot, stamp } from "./dom.js";
import { amount, capitalized, price, short, showTime, tokens } from "./format.js";
import { LiveTable } from "./live-table.js";
import { OrderBook } from "./order-book.js";
import { isCancellable } from "./order-state.js";
import { showStatus } from "./status.js";

/** @typedef {import("./order-state.js").Order} Order */

/** The table, and its filter. */
export class MyOrders {
  /**
   * @param {{orders: Order[], position: number, limit: number,
   *   wallets: Record<string, string>}} page
   * @param {() => string} chosenWallet
   */
  constructor(page, chosenWallet) {
    this.page = page;
    this.chosenWallet = chosenWallet;
    this.filter = /** @type {HTMLInputElement} */ (byId("only-this-wallet"));
    this.filter.checked = false;
    this.filter.addEventListener("change", () => this.table.load());
    this.table = new LiveTable({
      name: "orders",
      path: "/api/orders/ws",
      position: page.position,
      items: page.orders,
      makeBook: (onChange) =>
        new OrderBook({
          limit: page.limit,
          fetchOrder: (orderId) => get(`/api/orders/${orderId}`),
          wanted: (order) => !this.filter.checked || order.userWallet === this.chosenWallet(),
          onChange,
        }),
      fetchItems: () => this.fetch(),
      newRow: (order) => this.newRow(order),
      fillRow: (row, order) => this.fillRow(row, order),
    });
  }

  /** The wallet in the form is another one. */
  walletChanged() {
    if (this.filter.checked) void this.table.load();
  }

  /** @returns {Promise<Order[]>} */
  async fetch() {
    const query = new URLSearchParams({ limit: String(this.page.limit) });
    if (this.filter.checked) query.set("wallet", this.chosenWallet());
    return (await get(`/api/orders?${query}`)).results;
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
      this.table.book.put(await post(`/api/orders/${orderId}/cancel`));
      this.table.tell("");
    } catch (error) {
      this.table.tell(`${/** @type {Error} */ (error).message}.`);
    }
    button.disabled = false;
  }
}
