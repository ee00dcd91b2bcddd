/** What is known of an order, and how the frames of its feed change that. Pure. */

/**
 * @typedef {Record<string, any> & {orderId: string, status: string, seq: number}} Order
 *   as the API shows it
 * @typedef {{orderId: string, status: string, seq: number, timestamp: string,
 *   position?: number, data: Record<string, any>}} Frame
 */

const CANCELLABLE = new Set(["PENDING", "ROUTING", "BUILDING"]);
const TERMINAL = new Set(["CONFIRMED", "FAILED", "CANCELLED", "EXPIRED"]);

// Facts of a frame that are facts of the order, under the same name.
const SHARED = [
  "userWallet",
  "type",
  "inputToken",
  "outputToken",
  "inputAmount",
  "slippageBps",
  "venue",
  "quotedAmount",
  "minOutputAmount",
  "spentAmount",
  "outputAmount",
  "executedPrice",
  "networkFeeLamports",
  "txHash",
];

/** @param {string} status */
export function isCancellable(status) {
  return CANCELLABLE.has(status);
}

/** @param {string} status */
export function isTerminal(status) {
  return TERMINAL.has(status);
}

/**
 * The order after a frame that follows directly on what is known.
 * @param {Order} order
 * @param {Frame} frame
 * @returns {Order}
 */
export function applied(order, frame) {
  const next = { ...order, status: frame.status, seq: frame.seq, updatedAt: frame.timestamp };
  for (const name of SHARED) if (name in frame.data) next[name] = frame.data[name];
  if (frame.status === "ROUTING") next.queued = true;
  if (frame.status === "FAILED") next.failure = { ...frame.data };
  return next;
}

/**
 * A new order, from the first frame of its life.
 * @param {Frame} frame
 * @returns {Order}
 */
export function born(frame) {
  const order = { orderId: frame.orderId, status: "", seq: 0, createdAt: frame.timestamp };
  return applied(order, frame);
}
