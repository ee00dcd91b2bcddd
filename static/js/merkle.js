/** Proofs in trees of RFC 9162, checked where the person is, with nothing but SHA-256. */

/** @typedef {{leaf: string, index: number, proof: string[]}} Placed hexadecimal */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const ORDER_DIGITS = 256;

/** @param {string} text hexadecimal */
function bytesOf(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {number} prefix what kind of node it is
 * @param {...string} parts hexadecimal
 */
async function hash(prefix, ...parts) {
  if (!crypto.subtle) throw new Error("Browsers check proofs only on pages that came over HTTPS");
  const data = Uint8Array.from([prefix, ...bytesOf(parts.join(""))]);
  return hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", data)));
}

/**
 * The hashes from a leaf up to the root that its siblings lead to; null where they cannot be of a
 * tree of this size.
 * @param {Placed} placed
 * @param {number} size how many leaves the tree has
 * @returns {Promise<string[] | null>}
 */
export async function climb({ leaf, index, proof }, size) {
  if (index < 0 || index >= size) return null;
  let last = size - 1;
  let above = await hash(0, leaf);
  const way = [above];
  for (const sibling of proof) {
    if (last === 0) return null;
    // The last node of a level with an odd number climbs until it has a sibling on its left.
    while (index === last && index % 2 === 0) {
      index >>= 1;
      last >>= 1;
    }
    above = await (index % 2 ? hash(1, sibling, above) : hash(1, above, sibling));
    way.push(above);
    index >>= 1;
    last >>= 1;
  }
  return last === 0 ? way : null;
}

/**
 * What an order's leaf is known by.
 * @param {string} leaf its first 128 bytes are what the owner has signed
 */
export function orderHash(leaf) {
  return hash(2, leaf.slice(0, ORDER_DIGITS));
}

/**
 * Bytes as addresses and memos write them.
 * @param {string} text hexadecimal
 */
export function base58(text) {
  const zeros = /^(00)*/.exec(text)?.[0].length ?? 0;
  let digits = "";
  for (let rest = BigInt(`0x${text || "0"}`); rest > 0n; rest /= 58n) {
    digits = ALPHABET[Number(rest % 58n)] + digits;
  }
  return "1".repeat(zeros / 2) + digits;
}
