/** The feed of one order: every entry of its history once, in order, until the last. */

import { follow } from "./socket.js";

/** @typedef {import("./order-state.js").Frame} Frame */

/**
 * @param {object} options
 * @param {string} options.orderId
 * @param {number} options.since the last `seq` that is known already
 * @param {(entry: Frame) => void} options.onEntry
 * @param {(connection: import("./socket.js").Connection) => void} options.onConnection
 * @returns {() => void} stops following
 */
export function followOrder({ orderId, since, onEntry, onConnection }) {
  let last = since;
  const feed = follow({
    path: () => `/ws/orders/${orderId}?since=${last}`,
    onConnection,
    onFrame: (frame) => {
      const entries = frame.type === "snapshot" ? frame.history : [frame];
      for (const entry of entries) {
        if (entry.seq <= last) continue;
        if (entry.seq > last + 1) {
          // Something is missing in between: have it sent again.
          feed.restart();
          return;
        }
        last = entry.seq;
        onEntry(entry);
      }
    },
  });
  return feed.close;
}
