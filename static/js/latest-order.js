/** The order just sent, followed until it ends. */

import { byId, slot } from "./dom.js";
import { tokens } from "./format.js";
import { applied } from "./order-state.js";
import { followObject } from "./object-feed.js";
import { showConnection } from "./socket.js";
import { showStatus, showSteps } from "./status.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./order-state.js").Order} Order */

/** The panel; a new order takes the place of the last one. */
export class LatestOrder {
  constructor() {
    this.panel = byId("latest");
    this.connection = byId("latest-connection");
    this.timeline = new Timeline(slot(this.panel, "timeline"));
    /** @type {Order | null} */
    this.order = null;
    this.stop = () => {};
  }

  /** @param {Order} order as it was accepted */
  show(order) {
    if (order.orderId === this.order?.orderId) return;
    this.stop();
    this.timeline.clear();
    this.order = order;
    const link = /** @type {HTMLAnchorElement} */ (slot(this.panel, "link"));
    link.href = `/orders/${order.orderId}`;
    link.textContent = `${tokens(order.inputAmount, order.inputToken)} → ${order.outputToken}`;
    byId("latest-empty").hidden = true;
    this.panel.hidden = false;
    this.paint();
    this.stop = followObject({
      path: `/ws/orders/${order.orderId}`,
      since: 0,
      onEntry: (entry) => {
        this.order = applied(/** @type {Order} */ (this.order), entry);
        this.timeline.add(entry, this.order);
        this.paint();
      },
      onConnection: (connection) => showConnection(this.connection, connection),
    });
  }

  paint() {
    const { status } = /** @type {Order} */ (this.order);
    showStatus(slot(this.panel, "status"), status);
    showSteps(slot(this.panel, "steps"), status, [status, ...this.timeline.statuses]);
  }
}
