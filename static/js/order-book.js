/** The newest orders, kept up to date by the feed of all orders. */

import { Book } from "./book.js";
import { applied, born } from "./order-state.js";

/** @typedef {import("./order-state.js").Order} Order */

export class OrderBook extends Book {
  /**
   * @param {object} options
   * @param {number} options.limit
   * @param {(orderId: string) => Promise<Order>} options.fetchOrder
   * @param {(order: Order) => boolean} options.wanted whether an order belongs into the list
   * @param {() => void} options.onChange
   */
  constructor({ fetchOrder, ...options }) {
    super({ id: "orderId", fetchItem: fetchOrder, applied, born, ...options });
  }
}
