/** What is known of a mint or redeem, and how the frames of its feed change that. Pure. */

import { amount, short, units } from "./format.js";

/**
 * @typedef {Record<string, any> & {id: string, status: string, seq: number}} Request
 *   as the API shows it
 * @typedef {{id: string, requestId: string, status: string, phase: string, seq: number,
 *   timestamp: string, position?: number, data: Record<string, any>}} Frame
 */

export const TOKEN_DECIMALS = 18;
const ENDED = new Set(["COMPLETED", "FAILED", "REJECTED"]);
// Facts of a frame that are facts of the request, under the same name.
const SHARED = ["requestId", "type", "userAddress", "amount", "chainId", "fiatRef", "txHash",
  "blockNumber", "rule"];

/** @param {string} status */
export function hasEnded(status) {
  return ENDED.has(status);
}

/**
 * Base units as tokens.
 * @param {string | null | undefined} text
 * @param {number} [decimals] to show at most
 */
export function tokens(text, decimals) {
  return amount(units(text, TOKEN_DECIMALS), decimals);
}

/**
 * The request after a frame that follows directly on what is known.
 * @param {Request} request
 * @param {Frame} frame
 * @returns {Request}
 */
export function applied(request, frame) {
  const { status, phase, seq, timestamp, data } = frame;
  const next = { ...request, status, phase, seq, updatedAt: timestamp };
  for (const name of SHARED) if (name in data) next[name] = data[name];
  next.errorMessage = ENDED.has(status) ? (data.reason ?? request.errorMessage ?? null) : null;
  return next;
}

/**
 * A new request, from the first frame of its life.
 * @param {Frame} frame
 * @returns {Request}
 */
export function born(frame) {
  const { id, requestId, timestamp } = frame;
  return applied({ id, requestId, status: "", seq: 0, createdAt: timestamp }, frame);
}

/** @type {Record<string, (data: Record<string, any>, request: Request) => string>} */
const TELL = {
  RECEIVED: (data) => (data.amount ? `Asked for: ${tokens(data.amount)} tokens` : "Judged anew"),
  AWAITING_APPROVAL: () => "Waits for two people",
  QUEUED: () => "Let through by the policies",
  SIGNING: () => "The key service is asked to approve it",
  SIGNED: () => "Approved by the key service",
  SUBMITTED: (data) => (data.txHash ? `Sent: transaction ${short(data.txHash)}` : "Sent"),
  MINED: (data) => `In block ${amount(String(data.blockNumber))}, which is not final yet`,
  COMPLETED: (data) => `Final in block ${amount(String(data.blockNumber))}`,
  REJECTED: (data) => `Rejected by the rule ${data.rule}`,
  REVIEW: () => "Set aside for a person",
  FAILED: () => "Failed",
};

/**
 * What an entry of the history tells, as a sentence.
 * @param {Frame} entry
 * @param {Request} request
 */
export function words(entry, request) {
  const told = (TELL[entry.status] ?? (() => entry.status))(entry.data, request);
  const by = entry.data.by ? `, by ${entry.data.by}` : "";
  return entry.data.reason ? `${told}${by}: ${entry.data.reason}` : `${told}${by}`;
}
