/** How amounts, prices and times look. All amounts are decimal text and stay exact. */

const NONE = "—";

/**
 * Decimal text with its thousands grouped.
 * @param {string | null | undefined} text
 * @param {number} [decimals] how many decimals to show at most; the others are cut off
 * @returns {string}
 */
export function amount(text, decimals = 20) {
  if (text === null || text === undefined || text === "") return NONE;
  const [whole, fraction = ""] = text.split(".");
  const shown = fraction.slice(0, decimals).replace(/0+$/, "");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return shown ? `${grouped}.${shown}` : grouped;
}

/**
 * Decimal text with its token.
 * @param {string | null | undefined} text
 * @param {string} token
 * @param {number} [decimals]
 */
export function tokens(text, token, decimals) {
  const shown = amount(text, decimals);
  return shown === NONE ? NONE : `${shown} ${token}`;
}

/**
 * What a market's pool took part with in a batch.
 * @param {{ lots: number, base: string } | null} pool
 * @param {string} symbol
 */
export function poolPart(pool, symbol) {
  if (!pool?.lots) return "";
  const part = tokens(pool.base.replace("-", ""), symbol);
  return pool.lots > 0 ? `${part} from the pool` : `${part} to the pool`;
}

/**
 * Decimal text cut to six significant digits, whole digits all kept.
 * @param {string | number | null | undefined} value
 */
export function price(value) {
  if (value === null || value === undefined || value === "") return NONE;
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0) return NONE;
  const digits = Math.max(0, 5 - Math.floor(Math.log10(number)));
  return amount(number.toFixed(Math.min(digits, 20)));
}

/**
 * Base units as decimal text, exactly.
 * @param {string | null | undefined} text
 * @param {number} decimals
 */
export function units(text, decimals) {
  if (!text) return null;
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text.slice(sign.length).padStart(decimals + 1, "0");
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** @param {number | null | undefined} bps hundredths of a percent */
export function percent(bps) {
  return bps === null || bps === undefined ? NONE : `${(bps / 100).toFixed(2)} %`;
}

/**
 * A percentage as a person writes it, in hundredths of a percent.
 * @param {string} text
 * @returns {number | null} null when it is no percentage with two decimals at most
 */
export function basisPoints(text) {
  const found = /^(\d{1,6})(?:\.(\d{0,2}))?$/.exec(text.trim());
  return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : null;
}

/** @param {string} address */
export function short(address) {
  return address.length > 12 ? `${address.slice(0, 4)}…${address.slice(-4)}` : address;
}

/** @param {string} text */
export function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** @param {number} ms */
export function duration(ms) {
  return ms < 60_000 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms / 1000)} s`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const DATE_TIME = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
});

/**
 * Let a `<time>` show a moment in local time, with UTC as its title.
 * @param {HTMLTimeElement} element
 * @param {string | null | undefined} iso
 * @param {"short" | "long"} [style] short leaves the day out while it is today
 */
export function showTime(element, iso, style = "short") {
  if (!iso) {
    element.textContent = NONE;
    return;
  }
  const moment = new Date(iso);
  const today = moment.toDateString() === new Date().toDateString();
  const clock = CLOCK.format(moment);
  element.dateTime = iso;
  element.title = `${moment.toISOString().replace("T", " ").replace("Z", "")} UTC`;
  if (style === "long") element.textContent = DATE_TIME.format(moment);
  else element.textContent = today ? clock : `${DAY.format(moment)}, ${clock}`;
}
