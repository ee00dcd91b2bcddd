/** What the proof of an order comes to, step by step. */

import { base58, climb, orderHash } from "./merkle.js";

/** @typedef {{title: string, holds: boolean | null, detail?: string}} Step */

// Where a header has its market, number and target slot, in hexadecimal digits.
const MARKET = [32, 96];
const NUMBER = [96, 112];
const TARGET_SLOT = [112, 128];

/**
 * The checks of a proof as the API tells it, done here.
 * @param {any} proof
 * @param {object} claim what it is a proof of
 * @param {string} claim.hash of the order
 * @param {number} claim.number of the batch
 * @param {string} claim.address of the market
 * @returns {Promise<Step[]>}
 */
export async function proofSteps(proof, claim) {
  const { header, root, tickRoot, tickIndex, tickSize, tickProof } = proof;
  const prove = proof.included ? inclusion : absence;
  const own = await prove(proof, claim.hash);
  const up = await climb({ leaf: header, index: tickIndex, proof: tickProof }, tickSize);
  return [
    ...own,
    {
      title: "The header is this batch's, and holds that root",
      holds: header.endsWith(root) && isOf(header, claim),
      detail: `root ${root}`,
    },
    {
      title: "The header is under the tick's root",
      holds: up?.at(-1) === tickRoot,
      detail: `${siblings(tickProof)} up to ${tickRoot}`,
    },
    {
      title: "The tick's root was on chain before the batch's slot",
      holds: proof.anchorSlot === null ? null : proof.anchorSlot < number(header, TARGET_SLOT),
      detail: anchorOf(proof),
    },
  ];
}

/**
 * @param {any} proof
 * @param {string} wanted
 * @returns {Promise<Step[]>}
 */
async function inclusion(proof, wanted) {
  const way = await climb(proof, proof.size);
  return [
    {
      title: "The leaf is this order",
      holds: (await orderHash(proof.leaf)) === wanted,
      detail: `order ${wanted}`,
    },
    {
      title: `The leaf is under the batch's root, number ${proof.index + 1} of ${proof.size}`,
      holds: way?.at(-1) === proof.root,
      detail: `leaf ${way?.[0] ?? "unknown"}, ${siblings(proof.proof)} up to ${proof.root}`,
    },
  ];
}

/**
 * Leaves ascend by the hash of their order: two neighbours show that nothing is between them.
 * @param {any} proof
 * @param {string} wanted
 * @returns {Promise<Step[]>}
 */
async function absence({ before, after, size, root }, wanted) {
  /** @param {import("./merkle.js").Placed | null} placed */
  const isUnder = async (placed) => !placed || (await climb(placed, size))?.at(-1) === root;
  const low = before && (await orderHash(before.leaf));
  const high = after && (await orderHash(after.leaf));
  return [
    {
      title: "The order's hash lies between those of two leaves, or beyond the last one",
      holds: (!low || low < wanted) && (!high || wanted < high),
      detail: `${low ?? "the beginning"} < ${wanted} < ${high ?? "the end"}`,
    },
    {
      title: "Nothing is between these two",
      holds: (before?.index ?? -1) + 1 === (after?.index ?? size),
    },
    {
      title: "They are under the batch's root",
      holds: (await isUnder(before)) && (await isUnder(after)),
    },
  ];
}

/**
 * @param {string} header
 * @param {{number: number, address: string}} claim
 */
function isOf(header, claim) {
  const isNumbered = number(header, NUMBER) === BigInt(claim.number);
  return isNumbered && base58(header.slice(...MARKET)) === claim.address;
}

/**
 * A whole number of a record, little-endian.
 * @param {string} record
 * @param {number[]} place
 */
function number(record, [from, to]) {
  const bytes = record.slice(from, to).match(/../g) ?? [];
  return BigInt(`0x${bytes.reverse().join("")}`);
}

/** @param {any} proof */
function anchorOf({ anchorSlot, anchorSignature, tickRoot }) {
  if (anchorSlot === null) return "Its transaction has not landed.";
  const memo = `a memo with r=${base58(tickRoot)}`;
  return `Any node shows it: ${memo}, in slot ${anchorSlot}, transaction ${anchorSignature}`;
}

/** @param {string[]} proof */
function siblings({ length }) {
  return `${length} ${length === 1 ? "sibling" : "siblings"}`;
}
