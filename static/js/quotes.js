/** The live comparison of the venues for what the form asks. */

import { Refused, post } from "./api.js";
import { byId, fill, say, slot, stamp } from "./dom.js";
import { amount, capitalized, percent } from "./format.js";

/**
 * @typedef {{inputToken: string, outputToken: string, inputAmount: string,
 *   slippageBps: number}} Terms
 * @typedef {{venue: string, refusal?: string, outputAmount: string, netOutputAmount: string,
 *   feeAmount: string, feeBps: number, priceImpactBps: number}} Quote
 * @typedef {{inputToken: string, outputToken: string, inputAmount: string, quotes: Quote[],
 *   best: string | null, minOutputAmount: string | null, reason: string | null}} Comparison
 */

const TYPING_PAUSE_MS = 300;
const REFRESH_MS = 4000;

/** Asks again whenever the terms change, and every few seconds while the page is visible. */
export class QuoteWatch {
  /**
   * @param {object} on
   * @param {(comparison: Comparison | null) => void} on.comparison null while there is none
   * @param {(refused: Refused) => void} on.refused
   */
  constructor({ comparison, refused }) {
    this.onComparison = comparison;
    this.onRefused = refused;
    /** @type {Terms | null} */
    this.terms = null;
    this.timer = 0;
    this.request = new AbortController();
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  /** @param {Terms | null} terms null when the form does not say enough */
  watch(terms) {
    this.terms = terms;
    this.stop();
    this.onComparison(null);
    showState(terms ? "loading" : "empty");
    if (terms) this.timer = setTimeout(() => this.ask(true), TYPING_PAUSE_MS);
  }

  refresh() {
    this.stop();
    if (this.terms && !document.hidden) this.ask(false);
  }

  stop() {
    clearTimeout(this.timer);
    this.request.abort();
  }

  /** @param {boolean} announce whether to read the best quote out: not at every refresh */
  async ask(announce) {
    const request = (this.request = new AbortController());
    try {
      const comparison = await post("/api/quotes", this.terms, { signal: request.signal });
      if (request.signal.aborted) return;
      showComparison(comparison, announce);
      this.onComparison(comparison);
    } catch (error) {
      if (request.signal.aborted) return;
      this.failed(/** @type {Error} */ (error));
      if (isFinal(error)) return;
    }
    this.timer = setTimeout(() => this.refresh(), REFRESH_MS);
  }

  /** @param {Error} error */
  failed(error) {
    this.onComparison(null);
    const inForm = error instanceof Refused && error.errors.length > 0;
    showState("notice", inForm ? "No quotes for this: see the form." : `${error.message}.`);
    if (error instanceof Refused) this.onRefused(error);
  }
}

/**
 * Whether asking the same again is of no use.
 * @param {unknown} error
 */
function isFinal(error) {
  return error instanceof Refused && error.status < 500 && error.status !== 429;
}

/**
 * @param {"empty" | "loading" | "notice" | "quotes"} state
 * @param {string} [notice]
 */
function showState(state, notice = "") {
  const table = byId("quotes");
  byId("quotes-empty").hidden = state !== "empty";
  say(byId("quotes-notice"), notice);
  // The last quotes stay in place, dimmed, while new ones are fetched: nothing jumps.
  if (state !== "loading") table.hidden = state !== "quotes";
  table.classList.toggle("stale", state === "loading");
  table.setAttribute("aria-busy", String(state === "loading"));
  const pace = byId("quotes-pace");
  pace.textContent = { loading: "Asking the venues…", quotes: "Live" }[state] ?? "";
  pace.dataset.state = state === "quotes" ? "live" : state;
}

/**
 * @param {Comparison} comparison
 * @param {boolean} announce
 */
function showComparison(comparison, announce) {
  const best = comparison.quotes.find((quote) => quote.venue === comparison.best);
  const rows = [...comparison.quotes]
    .sort((a, b) => rank(b, comparison) - rank(a, comparison))
    .map((quote) => row(quote, comparison, best));
  byId("quotes").querySelector("tbody")?.replaceChildren(...rows);
  // Where no venue offers anything, each row says why already.
  const offered = comparison.quotes.some((quote) => quote.refusal === undefined);
  showState("quotes", offered && comparison.reason ? `${capitalized(comparison.reason)}.` : "");
  if (announce) {
    byId("quotes-news").textContent = best
      ? `Best: ${best.venue}, ${amount(best.outputAmount)} ${comparison.outputToken}`
      : "No venue offers this swap";
  }
}

/**
 * @param {Quote} quote
 * @param {Comparison} comparison
 */
function rank(quote, comparison) {
  if (quote.venue === comparison.best) return Infinity;
  return quote.refusal === undefined ? Number(quote.netOutputAmount) : -1;
}

/**
 * @param {Quote} quote
 * @param {Comparison} comparison
 * @param {Quote | undefined} best
 */
function row(quote, comparison, best) {
  if (quote.refusal !== undefined) {
    const item = stamp("quote-refusal");
    fill(item, { venue: capitalized(quote.venue), refusal: `No quote: ${quote.refusal}` });
    return item;
  }
  const item = stamp("quote-row");
  item.classList.toggle("best", quote === best);
  slot(item, "best").hidden = quote !== best;
  fill(item, {
    venue: capitalized(quote.venue),
    output: amount(quote.outputAmount, 6),
    net: amount(quote.netOutputAmount, 6),
    behind: best && quote !== best ? behind(quote, best) : "",
    fee: `${amount(quote.feeAmount, 6)} (${percent(quote.feeBps)})`,
    impact: percent(quote.priceImpactBps),
  });
  return item;
}

/**
 * How far a quote lies behind the best.
 * @param {Quote} quote
 * @param {Quote} best
 */
function behind(quote, best) {
  const share = Number(quote.netOutputAmount) / Number(best.netOutputAmount) - 1;
  return `−${Math.abs(share * 100).toFixed(2)} %`;
}
