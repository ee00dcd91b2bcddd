/** The cards of the chains, looked at anew every few seconds while somebody can see them. */

import { get } from "./api.js";
import { byId, fill, say, slot, stamp } from "./dom.js";
import { amount, units } from "./format.js";
import { TOKEN_DECIMALS, tokens } from "./request-state.js";

const EVERY_MS = 2_000;
const GWEI_DECIMALS = 9;
const COIN_DECIMALS = 18;
const ALL = 1000n;
// How late a new block, or a look at the chain, may be before it is told of.
const QUIET_MS = 60_000;
// A limit is read at a glance; its exact figure is in the back office.
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const SERVICES = { kms: "Key service", kuro: "Compliance service" };

/** @typedef {Record<string, any>} Chain as the API shows it */

/** The cards, and what is said above them. */
export class Chains {
  /** @param {Record<string, any>} overview */
  constructor(overview) {
    /** @type {Map<number, HTMLElement>} */
    this.cards = new Map();
    this.show(overview);
    void this.watch();
  }

  async watch() {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      if (document.hidden) continue;
      try {
        this.show(await get("/api/stablecoin/chains"));
        say(byId("overview-notice"), "");
      } catch (error) {
        const words = /** @type {Error} */ (error).message;
        say(byId("overview-notice"), `The chains could not be looked at: ${words}.`);
      }
    }
  }

  /** @param {Record<string, any>} overview */
  show({ at, paused, services, chains }) {
    byId("paused").hidden = !paused;
    showServices(services);
    showWaiting(chains);
    for (const chain of chains) this.fillCard(this.card(chain.chainId), chain, Date.parse(at));
  }

  /** @param {number} chainId */
  card(chainId) {
    let card = this.cards.get(chainId);
    if (!card) {
      card = stamp("chain");
      this.cards.set(chainId, card);
      byId("chains").append(card);
    }
    return card;
  }

  /**
   * @param {HTMLElement} card
   * @param {Chain} chain
   * @param {number} now by the server's clock
   */
  fillCard(card, chain, now) {
    const { supply, caps, health, relayer } = chain;
    const problem = problemOf(chain, now);
    fill(card, {
      name: chain.name || `Chain ${chain.chainId}`,
      state: chain.paused ? "Paused" : problem ? "Trouble" : "Live",
      supply: tokens(supply.circulating, 2),
      locked: tokens(supply.locked, 2),
      books: books(supply.compared),
      minted: used(caps.usedToday.mint, caps.daily),
      redeemed: used(caps.usedToday.redeem, caps.daily),
      height: health ? amount(String(health.head)) : "—",
      lag: health?.lagBlocks ? `${health.lagBlocks} behind` : "",
      final: health ? amount(String(health.final)) : "—",
      rpc: health?.rpc ?? "none",
      gas: relayer?.gasPrice ? `${amount(units(relayer.gasPrice, GWEI_DECIMALS), 4)} gwei` : "—",
      balance: relayer?.balance ? amount(units(relayer.balance, COIN_DECIMALS), 4) : "—",
      flight: relayer ? String(relayer.inFlight) : "—",
    });
    slot(card, "state").dataset.state = chain.paused ? "paused" : problem ? "bad" : "good";
    say(slot(card, "problem"), problem);
    showShare(slot(card, "minted-bar"), caps.usedToday.mint, caps.daily);
    showShare(slot(card, "redeemed-bar"), caps.usedToday.redeem, caps.daily);
  }
}

/**
 * Why people should look at a chain; empty where they need not.
 * @param {Chain} chain
 * @param {number} now by the server's clock
 */
export function problemOf({ contract, supply, health, relayer }, now) {
  const { compared } = supply;
  if (!contract) return "No contract is deployed.";
  if (compared && !compared.agrees) {
    const sides = `${tokens(compared.supplyOnChain)} on chain, ${tokens(compared.supplyInLedger)}`;
    return `Chain and ledger differ at block ${compared.blockNumber}: ${sides} in the ledger.`;
  }
  if (!health) return "Nobody has looked at it yet.";
  if (health.error) return health.error;
  if (now - Date.parse(health.seenAt) > QUIET_MS) return "Nobody has looked at it for a minute.";
  if (now - Date.parse(health.headAt) > QUIET_MS) return "No new block for a minute.";
  if (relayer?.error) return relayer.error;
  return relayer?.low ? "The relayer's balance is low." : "";
}

/** @param {Record<string, any> | null} compared */
function books(compared) {
  if (!compared) return "not compared yet";
  return compared.agrees ? "ledger agrees" : "ledger differs";
}

/**
 * @param {string} amount
 * @param {string | null} cap
 */
function used(amount, cap) {
  if (!cap) return tokens(amount, 0);
  return `${tokens(amount, 0)} of ${COMPACT.format(Number(units(cap, TOKEN_DECIMALS)))}`;
}

/**
 * @param {HTMLElement} bar
 * @param {string} amount
 * @param {string | null} cap
 */
function showShare(bar, amount, cap) {
  bar.hidden = !cap;
  if (!cap) return;
  const share = BigInt(cap) > 0n ? (BigInt(amount) * ALL) / BigInt(cap) : ALL;
  /** @type {HTMLProgressElement} */ (bar).value = Number(share);
}

/** @param {Record<string, any>} services */
function showServices(services) {
  const items = Object.entries(SERVICES).map(([name, title]) => {
    const found = services[name];
    const item = stamp("service");
    item.dataset.state = found?.well ? "good" : "bad";
    item.title = found?.error ?? "";
    fill(item, { name: title, word: found?.well ? "up" : found ? "down" : "not asked yet" });
    return item;
  });
  byId("services").replaceChildren(...items);
}

/** @param {Chain[]} chains */
function showWaiting(chains) {
  const words = { AWAITING_APPROVAL: "waiting for two people", REVIEW: "under review" };
  const items = [];
  for (const [status, told] of Object.entries(words)) {
    const count = chains.reduce((sum, chain) => sum + (chain.open[status] ?? 0), 0);
    if (!count) continue;
    const item = stamp("waiting-entry");
    const link = slot(item, "link");
    link.textContent = `${count} ${told}`;
    if (link instanceof HTMLAnchorElement) {
      link.href = `/admin/stablecoin/request/?status__exact=${status}`;
    }
    items.push(item);
  }
  // The same again would take the focus from who is about to follow a link.
  const list = byId("waiting");
  const texts = items.map((item) => item.textContent).join();
  if (list.dataset.shown === texts) return;
  list.dataset.shown = texts;
  list.replaceChildren(...items);
}
