/** The page of one order, live until the order ends. */

import { get, post } from "./api.js";
import { enableCopying } from "./copy.js";
import { byId, fill, pageData, say, slot } from "./dom.js";
import { capitalized, tokens } from "./format.js";
import { showAttempts, showFacts, showQuotes } from "./order-details.js";
import { followObject } from "./object-feed.js";
import { applied, isCancellable, isTerminal } from "./order-state.js";
import { showConnection } from "./socket.js";
import { showStatus, showSteps } from "./status.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./order-state.js").Order} Order */
/** @typedef {import("./order-state.js").Frame} Frame */

/** @type {Order} */
let order = pageData("order-data");
const timeline = new Timeline(byId("timeline"));
let refreshing = false;
let outdated = false;

function paint() {
  const head = byId("head");
  showStatus(slot(head, "status"), order.status);
  fill(head, { asked: tokens(order.inputAmount, order.inputToken) });
  const steps = /** @type {HTMLElement} */ (document.querySelector('[data-slot="steps"]'));
  showSteps(steps, order.status, [order.status, ...timeline.statuses]);
  byId("cancel").hidden = !isCancellable(order.status);
  byId("execute").hidden = order.status !== "PENDING" || order.queued;
  paintFailure();
  showFacts(order);
  showQuotes(order);
  showAttempts(order);
}

function paintFailure() {
  const notice = byId("failure");
  notice.hidden = !order.failure;
  if (!order.failure) return;
  slot(notice, "kind").textContent = `Failed (${order.failure.kind}).`;
  slot(notice, "reason").textContent = capitalized(order.failure.reason);
}

/** Take over a copy of the order, unless the feed has told of something newer. */
function take(/** @type {Order} */ copy) {
  if (copy.seq < order.seq) return;
  order = { ...order, ...copy };
  paint();
}

/** Fetch what frames do not tell, quotes and attempts; one request at a time. */
async function refresh() {
  if (refreshing) {
    outdated = true;
    return;
  }
  refreshing = true;
  do {
    outdated = false;
    try {
      take(await get(`/api/orders/${order.orderId}`));
    } catch {
      // The next frame asks again; what it told is shown already.
    }
  } while (outdated);
  refreshing = false;
}

/** @param {Frame} entry */
function live(entry) {
  if (entry.seq > order.seq) order = applied(order, entry);
  timeline.add(entry, order);
  paint();
  void refresh();
}

/**
 * @param {string} action
 * @param {HTMLButtonElement} button
 */
async function act(action, button) {
  button.disabled = true;
  try {
    take(await post(`/api/orders/${order.orderId}/${action}`));
    say(byId("action-problem"), "");
  } catch (error) {
    say(byId("action-problem"), `${/** @type {Error} */ (error).message}.`);
  }
  button.disabled = false;
}

for (const entry of order.history) timeline.add(entry, order);
paint();
enableCopying();
for (const action of ["cancel", "execute"]) {
  const button = /** @type {HTMLButtonElement} */ (byId(action));
  button.addEventListener("click", () => act(action, button));
}
if (!isTerminal(order.status)) {
  followObject({
    path: `/ws/orders/${order.orderId}`,
    since: timeline.last,
    onEntry: live,
    onConnection: (connection) => showConnection(byId("connection"), connection),
  });
}
