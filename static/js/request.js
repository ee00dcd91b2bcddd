/** The page of one mint or redeem, live until it ends. */

import { get } from "./api.js";
import { enableCopying } from "./copy.js";
import { byId, fill, pageData, say, slot, stamp } from "./dom.js";
import { amount, capitalized, showTime, units } from "./format.js";
import { followObject } from "./object-feed.js";
import { applied, hasEnded, tokens, words } from "./request-state.js";
import { showConnection } from "./socket.js";
import { showStatus, showSteps } from "./status.js";
import { Timeline } from "./timeline.js";

/** @typedef {import("./request-state.js").Request} Request */
/** @typedef {import("./request-state.js").Frame} Frame */

const GWEI_DECIMALS = 9;
const SOURCES = { kuro: "the compliance service", chain: "the holder, on chain", api: "the back office" };
const ATTENTION = {
  AWAITING_APPROVAL: "Two different people have to agree, in the back office.",
  REVIEW: "A person has to look at this request, in the back office.",
};

/** @type {Request} */
let request = pageData("request-data");
const { links } = request;
const timeline = new Timeline(byId("timeline"), words);
let refreshing = false;
let outdated = false;

function paint() {
  const head = byId("head");
  const { status } = request;
  showStatus(slot(head, "status"), status);
  const done = request.type === "mint" ? "Mint" : "Redeem";
  fill(head, { title: `${done} ${tokens(request.amount)} on chain ${request.chainId}` });
  const steps = /** @type {HTMLElement} */ (document.querySelector('[data-slot="steps"]'));
  showSteps(steps, status, [status, ...timeline.statuses]);
  say(byId("attention"), /** @type {Record<string, string>} */ (ATTENTION)[status] ?? "");
  say(byId("failure"), request.errorMessage ? `${capitalized(request.errorMessage)}.` : "");
  paintFacts();
  byId("transactions").querySelector("tbody")?.replaceChildren(...transactionRows());
  byId("transactions").hidden = request.transactions.length === 0;
  byId("transactions-empty").hidden = request.transactions.length > 0;
  paintPeople();
}

function paintFacts() {
  const facts = byId("facts");
  fill(facts, {
    amount: tokens(request.amount),
    source: /** @type {Record<string, string>} */ (SOURCES)[request.source],
    reference: request.fiatRef ?? "—",
    lock: request.lockTxHash ?? "",
    transaction: request.txHash ?? "",
  });
  byId("lock-fact").hidden = !request.lockTxHash;
  byId("transaction-fact").hidden = !request.txHash;
  showTime(/** @type {HTMLTimeElement} */ (slot(facts, "created")), request.createdAt, "long");
}

/** A row for every attempt: the same nonce may have several. */
function transactionRows() {
  /** @type {Record<string, any>[]} */
  const transactions = request.transactions;
  return transactions.flatMap((transaction) =>
    transaction.attempts.map((/** @type {Record<string, any>} */ attempt) => {
      const row = stamp("transaction-row");
      const mined = attempt.txHash === transaction.txHash;
      const open = transaction.txHash === null;
      showStatus(slot(row, "state"), mined || open ? transaction.state : "REPLACED");
      fill(row, {
        nonce: amount(String(transaction.nonce)),
        words: attempt.cancels ? "only fills the nonce" : "",
        hash: attempt.txHash,
        fee: `${amount(units(attempt.maxFeePerGas, GWEI_DECIMALS), 4)} gwei`,
      });
      showTime(/** @type {HTMLTimeElement} */ (slot(row, "sent")), attempt.sentAt);
      return row;
    }),
  );
}

function paintPeople() {
  const approvals = request.approvals.map((/** @type {Record<string, any>} */ approval) => {
    const item = stamp("approval");
    showStatus(slot(item, "state"), approval.state);
    const until = new Date(approval.deadline * 1000).toISOString().slice(0, 16).replace("T", " ");
    fill(item, { words: `good until ${until} UTC`, digest: approval.digest });
    return item;
  });
  byId("approvals").replaceChildren(...approvals);
  byId("approvals-empty").hidden = approvals.length > 0;
  const consents = request.consents.map((/** @type {Record<string, any>} */ consent) => {
    const item = stamp("consent");
    const said = consent.agreed ? "agreed" : "declined";
    fill(item, { words: `${consent.by} ${said}: ${consent.reason}` });
    showTime(/** @type {HTMLTimeElement} */ (slot(item, "at")), consent.at);
    return item;
  });
  byId("consents").replaceChildren(...consents);
  byId("consents-title").hidden = consents.length === 0;
}

/** Fetch what frames do not tell, approvals and transactions; one request at a time. */
async function refresh() {
  if (refreshing) {
    outdated = true;
    return;
  }
  refreshing = true;
  do {
    outdated = false;
    try {
      const copy = await get(links.self);
      if (copy.seq >= request.seq) request = copy;
      paint();
    } catch {
      // The next frame asks again; what it told is shown already.
    }
  } while (outdated);
  refreshing = false;
}

/** @param {any} entry */
function live(entry) {
  if (entry.seq > request.seq) request = applied(request, { phase: request.phase, ...entry });
  timeline.add(entry, request);
  paint();
  void refresh();
}

for (const entry of request.history) timeline.add(entry, request);
paint();
enableCopying();
if (!hasEnded(request.status)) {
  followObject({
    path: links.websocket,
    since: timeline.last,
    onEntry: live,
    onConnection: (connection) => showConnection(byId("connection"), connection),
  });
}
