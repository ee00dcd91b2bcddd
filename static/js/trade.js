/** The trade page: form, quotes, the order just sent, the newest orders. */

import { Refused, post } from "./api.js";
import { byId, pageData } from "./dom.js";
import { Intents } from "./intent.js";
import { LatestOrder } from "./latest-order.js";
import { MyOrders } from "./my-orders.js";
import { QuoteWatch } from "./quotes.js";
import * as ticket from "./ticket.js";

const page = pageData("page-data");
const latest = new LatestOrder();
const intents = new Intents();
const orders = page.mayReadOrders ? new MyOrders(page, ticket.wallet) : null;
const watch = new QuoteWatch({
  comparison: ticket.showSummary,
  refused: (problem) => ticket.showErrors(problem.errors),
});
let sending = false;

function edited() {
  const terms = ticket.terms();
  const problems = ticket.problems(terms, page.maxSlippageBps);
  // An amount that is not there yet is no mistake.
  ticket.showErrors(problems.filter((problem) => problem.code !== "missing"));
  ticket.showMessage("");
  watch.watch(problems.length ? null : terms);
}

async function execute() {
  if (sending) return;
  const terms = ticket.terms();
  const problems = ticket.problems(terms, page.maxSlippageBps);
  if (problems.length) {
    ticket.showErrors(problems);
    ticket.focusFirstError();
    return;
  }
  setSending(true);
  const body = { userWallet: ticket.wallet(), ...terms };
  try {
    const idempotencyKey = intents.keyFor(body, performance.now());
    const order = await post("/api/orders/execute", body, { idempotencyKey });
    intents.answered(performance.now());
    ticket.showErrors([]);
    ticket.showMessage("Order accepted.");
    latest.show({ ...order, seq: 0 });
  } catch (error) {
    failed(/** @type {Error} */ (error));
  }
  setSending(false);
}

/** @param {Error} error */
function failed(error) {
  if (!(error instanceof Refused)) {
    const hint = "Execute it again: it will not become a second order.";
    ticket.showMessage(`${error.message}. ${hint}`, "bad");
    return;
  }
  const others = ticket.showErrors(error.errors);
  const words = error.errors.length ? others.map((other) => other.message) : [`${error.message}.`];
  ticket.showMessage(words.join(" "), "bad");
  ticket.focusFirstError();
}

/** @param {boolean} now */
function setSending(now) {
  sending = now;
  const button = byId("execute");
  button.setAttribute("aria-disabled", String(now));
  button.textContent = now ? "Sending…" : "Execute Order";
}

byId("ticket").addEventListener("submit", (event) => {
  event.preventDefault();
  void execute();
});
for (const id of ["inputAmount", "inputToken", "outputToken", "slippageBps"]) {
  byId(id).addEventListener("input", edited);
}
byId("turn").addEventListener("click", () => {
  ticket.turn();
  edited();
});
byId("userWallet").addEventListener("input", () => {
  ticket.showErrors([]);
  orders?.walletChanged();
});
// What the browser kept in the form over a reload is asked at once.
edited();
