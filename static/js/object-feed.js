/** The feed of one object: every entry of its history once, in order, until the last. */

import { follow } from "./socket.js";

/** @typedef {import("./order-state.js").Frame} Frame */

/**
 * @param {object} options
 * @param {string} options.path of the object's socket
 * @param {number} options.since the last `seq` that is known already
 * @param {(entry: Frame) => void} options.onEntry
 * @param {(connection: import("./socket.js").Connection) => void} options.onConnection
 * @returns {() => void} stops following
 */
export function followObject({ path, since, onEntry, onConnection }) {
  let last = since;
  const feed = follow({
    path: () => `${path}${path.includes("?") ? "&" : "?"}since=${last}`,
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
