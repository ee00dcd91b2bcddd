/** The form: what it asks, what is wrong with it, what it promises. */

import { byId, fill, say } from "./dom.js";
import { amount, basisPoints, capitalized, percent, price, tokens } from "./format.js";

/** @typedef {import("./api.js").FieldError} FieldError */
/** @typedef {import("./quotes.js").Comparison} Comparison */
/** @typedef {import("./quotes.js").Terms} Terms */

const FIELDS = ["userWallet", "inputAmount", "inputToken", "outputToken", "slippageBps"];

/** @param {string} id */
function value(id) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (byId(id)).value.trim();
}

/** The wallet that is chosen. */
export function wallet() {
  return value("userWallet");
}

/**
 * What the form asks, as the API takes it.
 * @returns {Terms}
 */
export function terms() {
  return {
    inputToken: value("inputToken"),
    outputToken: value("outputToken"),
    inputAmount: value("inputAmount"),
    slippageBps: basisPoints(value("slippageBps")) ?? NaN,
  };
}

/**
 * What can be said to be wrong without the server.
 * @param {Terms} asked
 * @param {number} maxSlippageBps
 * @returns {FieldError[]}
 */
export function problems(asked, maxSlippageBps) {
  const found = [];
  if (!asked.inputAmount) {
    found.push({ field: "inputAmount", code: "missing", message: "Enter an amount." });
  }
  if (Number.isNaN(asked.slippageBps)) {
    const message = "A percentage such as 0.5, with two decimals at most.";
    found.push({ field: "slippageBps", code: "invalid", message });
  }
  if (asked.slippageBps > maxSlippageBps) {
    const message = `At most ${percent(maxSlippageBps)}.`;
    found.push({ field: "slippageBps", code: "too_large", message });
  }
  return found;
}

/**
 * Show each error at its field.
 * @param {FieldError[]} errors
 * @returns {FieldError[]} those that belong to no field of the form
 */
export function showErrors(errors) {
  for (const field of FIELDS) {
    const own = errors.filter((error) => error.field === field);
    say(byId(`${field}-error`), own.map((error) => error.message).join(" "));
    if (own.length) byId(field).setAttribute("aria-invalid", "true");
    else byId(field).removeAttribute("aria-invalid");
  }
  return errors.filter((error) => !FIELDS.includes(error.field));
}

/** Bring whoever uses the keyboard to what is to be mended. */
export function focusFirstError() {
  document.querySelector('#ticket [aria-invalid="true"]')?.focus();
}

/**
 * Tell how sending goes.
 * @param {string} text
 * @param {"" | "bad"} [tone]
 */
export function showMessage(text, tone = "") {
  const element = byId("ticket-message");
  element.textContent = text;
  element.dataset.tone = tone;
}

/**
 * What an order would bring now.
 * @param {Comparison | null} comparison
 */
export function showSummary(comparison) {
  const best = comparison?.quotes.find((quote) => quote.venue === comparison.best);
  byId("outputAmount").textContent = amount(best?.outputAmount, 6);
  if (!comparison || !best) {
    fill(byId("ticket"), { venue: "—", price: "—", minimum: "—" });
    return;
  }
  const { inputToken, outputToken, inputAmount, minOutputAmount } = comparison;
  const rate = price(Number(best.outputAmount) / Number(inputAmount));
  fill(byId("ticket"), {
    venue: capitalized(best.venue),
    price: `1 ${inputToken} = ${rate} ${outputToken}`,
    minimum: tokens(minOutputAmount, outputToken, 6),
  });
}

/** Exchange the two tokens. */
export function turn() {
  const input = /** @type {HTMLSelectElement} */ (byId("inputToken"));
  const output = /** @type {HTMLSelectElement} */ (byId("outputToken"));
  [input.value, output.value] = [output.value, input.value];
}
