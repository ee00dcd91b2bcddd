/** The newest orders, kept up to date by the feed of all orders. */

import { applied, born } from "./order-state.js";

/** @typedef {import("./order-state.js").Order} Order */
/** @typedef {import("./order-state.js").Frame} Frame */

/**
 * Orders by id, of which the newest `limit` are kept. An order's `seq` tells which frames it has
 * in it already, so that it does not matter whether a frame or a fresh copy arrives first.
 */
export class OrderBook {
  /**
   * @param {object} options
   * @param {number} options.limit
   * @param {(orderId: string) => Promise<Order>} options.fetchOrder
   * @param {(order: Order) => boolean} options.wanted whether an order belongs into the list
   * @param {() => void} options.onChange
   */
  constructor({ limit, fetchOrder, wanted, onChange }) {
    this.limit = limit;
    this.fetchOrder = fetchOrder;
    this.wanted = wanted;
    this.onChange = onChange;
    /** @type {Map<string, Order>} */
    this.orders = new Map();
  }

  /** @returns {Order[]} newest first: ids are in order of time */
  newest() {
    return [...this.orders.values()].sort((a, b) => (a.orderId < b.orderId ? 1 : -1));
  }

  /** @param {Order[]} orders all that is to be shown from now on */
  replace(orders) {
    const known = this.orders;
    this.orders = new Map();
    for (const order of orders) {
      const mine = known.get(order.orderId);
      this.orders.set(order.orderId, mine && mine.seq > order.seq ? mine : order);
    }
    this.onChange();
  }

  /** @param {Frame} frame */
  take(frame) {
    const known = this.orders.get(frame.orderId);
    if (known && frame.seq <= known.seq) return;
    if (known && frame.seq === known.seq + 1) this.put(applied(known, frame));
    else if (frame.seq === 1) this.put(born(frame));
    else if (known || this.hasRoomFor(frame.orderId)) void this.refresh(frame.orderId);
  }

  /** @param {Order} order */
  put(order) {
    const known = this.orders.get(order.orderId);
    if ((known && known.seq > order.seq) || !this.wanted(order)) return;
    this.orders.set(order.orderId, order);
    for (const old of this.newest().slice(this.limit)) this.orders.delete(old.orderId);
    this.onChange();
  }

  /** @param {string} orderId */
  async refresh(orderId) {
    try {
      this.put(await this.fetchOrder(orderId));
    } catch {
      // The next frame of the order, or the next list, brings what is missing.
    }
  }

  /** @param {string} orderId */
  hasRoomFor(orderId) {
    return this.orders.size < this.limit || orderId > (this.newest().at(-1)?.orderId ?? "");
  }
}
