/** The page of mints and redeems: chains, and requests moving through their states. */

import { get } from "./api.js";
import { Book } from "./book.js";
import { Chains } from "./chains.js";
import { byId, fill, pageData, slot, stamp } from "./dom.js";
import { capitalized, short, showTime } from "./format.js";
import { LiveTable } from "./live-table.js";
import { applied, born, tokens } from "./request-state.js";
import { showStatus } from "./status.js";

/** @typedef {import("./request-state.js").Request} Request */

const SHOWN_DECIMALS = 6;
const LONGEST_NAME = 40;

/** The table of requests, and its filters. */
class Requests {
  /** @param {{requests: Request[], position: number, limit: number}} page */
  constructor({ requests, position, limit }) {
    this.limit = limit;
    this.filters = /** @type {HTMLFormElement} */ (byId("filters"));
    this.filters.reset();
    this.filters.addEventListener("change", () => this.table.load());
    this.table = new LiveTable({
      name: "requests",
      path: "/ws/stablecoin",
      position,
      items: requests,
      makeBook: (onChange) =>
        new Book({
          id: "id",
          limit,
          fetchItem: (id, frame) => this.fetchOne(id, frame),
          wanted: (request) => this.wanted(request),
          applied,
          born,
          onChange,
        }),
      fetchItems: () => this.fetch(),
      newRow: () => stamp("request-row"),
      fillRow,
    });
  }

  /** The chosen filters, by the name of the API's parameter. */
  chosen() {
    const entries = [...new FormData(this.filters)].filter(([, value]) => value);
    return /** @type {[string, string][]} */ (entries);
  }

  /** @param {Request} request */
  wanted(request) {
    return this.chosen().every(([name, value]) => String(request[name]) === value);
  }

  /** @returns {Promise<Request[]>} */
  async fetch() {
    const query = new URLSearchParams([["limit", String(this.limit)], ...this.chosen()]);
    return (await get(`/status?${query}`)).requests;
  }

  /**
   * @param {string} id
   * @param {import("./request-state.js").Frame} frame
   */
  fetchOne(id, { requestId }) {
    const known = this.table.book.items.get(id);
    const which = known ? `?type=${known.type}&chainId=${known.chainId}` : "";
    return get(`/status/${encodeURIComponent(requestId)}${which}`);
  }
}

/**
 * The contract's names are as long as hashes.
 * @param {Request} request
 */
function nameOf({ requestId }) {
  return requestId.length > LONGEST_NAME ? short(requestId) : requestId;
}

/**
 * @param {HTMLElement} row
 * @param {Request} request
 */
function fillRow(row, request) {
  const link = /** @type {HTMLAnchorElement} */ (slot(row, "link"));
  link.href = `/stablecoin/requests/${request.id}`;
  fill(row, {
    kind: capitalized(request.type),
    link: nameOf(request),
    amount: tokens(request.amount, SHOWN_DECIMALS),
    account: short(request.userAddress),
    chain: String(request.chainId),
    transaction: request.txHash ? short(request.txHash) : "—",
    reason: request.errorMessage ?? "",
  });
  link.title = request.requestId;
  slot(row, "account").title = request.userAddress;
  slot(row, "transaction").title = request.txHash ?? "";
  row.dataset.kind = request.type;
  showTime(/** @type {HTMLTimeElement} */ (slot(row, "time")), request.createdAt);
  showStatus(slot(row, "status"), request.status);
}

const page = pageData("page-data");
new Chains(page.overview);
new Requests(page);
