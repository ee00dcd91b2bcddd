/** Proofs and verifications, step by step, in a dialog. */

import { get } from "./api.js";
import { byId, fill, say, slot, stamp } from "./dom.js";
import { short } from "./format.js";
import { proofSteps } from "./proof.js";

/** @typedef {import("./proof.js").Step} Step */

const WORDS = new Map([
  [true, "holds"],
  [false, "does not hold"],
  [null, "could not be told"],
]);
const VERDICTS = {
  VERIFIED: "Everything about this batch is as it should be.",
  VIOLATION: "This batch is not what it should be.",
  UNCERTAIN: "Something that is needed for the verdict is missing.",
};

/** What the dialog was opened for last: answers to what came before are late. */
let asked = 0;

/**
 * Open the dialog and let it show what comes out.
 * @param {string} title
 * @param {() => Promise<{verdict: string, words: string, steps: Step[], reasons?: string[]}>} find
 */
async function open(title, find) {
  const mine = ++asked;
  const dialog = /** @type {HTMLDialogElement} */ (byId("checks"));
  byId("checks-title").textContent = title;
  show({ verdict: "CHECKING", words: "Checking…", steps: [] });
  if (!dialog.open) dialog.showModal();
  let found;
  try {
    found = await find();
  } catch (error) {
    const words = `It could not be checked: ${/** @type {Error} */ (error).message}.`;
    found = { verdict: "UNCERTAIN", words, steps: [] };
  }
  if (mine === asked) show(found);
}

/** @param {{verdict: string, words: string, steps: Step[], reasons?: string[]}} found */
function show({ verdict, words, steps, reasons = [] }) {
  const element = byId("checks-verdict");
  element.dataset.verdict = verdict;
  fill(element, { verdict: verdict === "CHECKING" ? "" : verdict, words });
  byId("checks-steps").replaceChildren(...steps.map(stepItem));
  byId("checks-reasons").replaceChildren(
    ...reasons.map((reason) => {
      const item = document.createElement("li");
      item.textContent = reason;
      return item;
    }),
  );
}

/** @param {Step} step */
function stepItem({ title, holds, detail = "" }) {
  const item = stamp("check-step");
  item.dataset.holds = String(holds);
  fill(item, { title, holds: WORDS.get(holds) ?? "" });
  say(slot(item, "detail"), detail);
  return item;
}

/**
 * Have a batch verified against the chain.
 * @param {string} market
 * @param {number} number
 */
export function verify(market, number) {
  return open(`Verification of batch #${number}`, async () => {
    const path = `/api/batches/${encodeURIComponent(market)}/${number}/verify`;
    const { status, steps, reasons, note } = await get(path);
    const words = note ? `${note}.` : VERDICTS[/** @type {keyof typeof VERDICTS} */ (status)];
    return { verdict: status, words, steps, reasons };
  });
}

/**
 * Check here, from the order up to the root on chain, whether a batch holds it.
 * @param {string} market
 * @param {number} number
 * @param {string} hash
 * @param {string} address of the market
 */
export function prove(market, number, hash, address) {
  return open(`Order ${short(hash)} in batch #${number}`, async () => {
    const path = `/api/batches/${encodeURIComponent(market)}/${number}/proof/${hash}`;
    const proof = await get(path);
    const steps = await proofSteps(proof, { hash, number, address });
    const words = proof.included ? "The batch holds the order." : "The batch does not hold it.";
    const reasons = [
      "This browser has computed every hash. That the root is on chain is what the server says.",
    ];
    if (steps.some(({ holds }) => holds === false)) {
      return { verdict: "NOT PROVEN", words: "A step does not hold.", steps, reasons };
    }
    if (steps.some(({ holds }) => holds === null)) {
      return { verdict: "NOT ANCHORED", words: "The root is not on chain.", steps, reasons };
    }
    return { verdict: "PROVEN", words, steps, reasons };
  });
}
