/** The facts, quotes and attempts of one order. */

import { byId, fill, slot, stamp } from "./dom.js";
import { amount, capitalized, percent, price, showTime, tokens, units } from "./format.js";
import { showStatus } from "./status.js";

/** @typedef {import("./order-state.js").Order} Order */

const LAMPORTS_DECIMALS = 9;

/** @param {Order} order */
export function showFacts(order) {
  const { inputToken, outputToken } = order;
  const perInput = `${outputToken} per ${inputToken}`;
  fill(byId("facts"), {
    asked: tokens(order.inputAmount, inputToken),
    quoted: tokens(order.quotedAmount, outputToken),
    slippage: percent(order.slippageBps),
    minimum: tokens(order.minOutputAmount, outputToken),
    spent: tokens(order.spentAmount, inputToken),
    received: tokens(order.outputAmount, outputToken),
    price: order.executedPrice ? `${price(order.executedPrice)} ${perInput}` : "—",
    networkFee: tokens(units(order.networkFeeLamports, LAMPORTS_DECIMALS), "SOL"),
    venue: order.venue ? capitalized(order.venue) : "—",
    signature: order.txHash ?? "",
  });
  byId("signature-fact").hidden = !order.txHash;
  const created = /** @type {HTMLTimeElement} */ (slot(byId("facts"), "created"));
  showTime(created, order.createdAt, "long");
}

/** @param {Order} order */
export function showQuotes({ quotes }) {
  showRows("order-quotes", quotes.map(quoteRow));
}

/** @param {Order} order */
export function showAttempts({ attempts }) {
  showRows("attempts", attempts.map(attemptRow));
}

/**
 * @param {string} id of the table
 * @param {HTMLElement[]} rows
 */
function showRows(id, rows) {
  byId(id).querySelector("tbody")?.replaceChildren(...rows);
  byId(id).hidden = rows.length === 0;
  byId(`${id}-empty`).hidden = rows.length > 0;
}

/** @param {Record<string, any>} quote */
function quoteRow(quote) {
  const common = { round: String(quote.round), venue: capitalized(quote.venue) };
  if (quote.refusal !== null) {
    const row = stamp("order-quote-refusal");
    fill(row, { ...common, refusal: `No quote: ${quote.refusal}` });
    return row;
  }
  const row = stamp("order-quote-row");
  row.classList.toggle("best", quote.chosen);
  slot(row, "chosen").hidden = !quote.chosen;
  fill(row, {
    ...common,
    output: amount(quote.outputAmount),
    net: amount(quote.netOutputAmount),
    fee: `${amount(quote.feeAmount)} (${percent(quote.feeBps)})`,
    impact: percent(quote.priceImpactBps),
  });
  return row;
}

/** @param {Record<string, any>} attempt */
function attemptRow(attempt) {
  const row = stamp("attempt-row");
  showStatus(slot(row, "state"), attempt.state);
  fill(row, {
    number: String(attempt.number),
    error: attempt.error ?? "",
    venue: capitalized(attempt.venue),
    signature: attempt.txHash ?? "—",
    slot: attempt.slot === null ? "—" : amount(String(attempt.slot)),
    height: amount(String(attempt.lastValidBlockHeight)),
  });
  showTime(/** @type {HTMLTimeElement} */ (slot(row, "sent")), attempt.sentAt);
  return row;
}
