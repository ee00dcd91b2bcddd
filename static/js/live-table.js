/** A table of the newest objects, live. */

import { byId, say } from "./dom.js";
import { follow, showConnection } from "./socket.js";

// After a longer absence, a fresh list costs less than everything that happened.
const RESUMABLE_MS = 60_000;

/** @typedef {import("./book.js").Book} Book */

/**
 * The table of the elements `NAME`, `NAME-empty`, `NAME-notice` and `NAME-connection`, with its feed.
 */
export class LiveTable {
  /**
   * @param {object} options
   * @param {string} options.name
   * @param {string} options.path of the feed of all objects
   * @param {number} options.position from which on to follow it
   * @param {any[]} options.items to begin with
   * @param {(onChange: () => void) => Book} options.makeBook
   * @param {() => Promise<any[]>} options.fetchItems the list as it is now
   * @param {(item: any) => HTMLElement} options.newRow
   * @param {(row: HTMLElement, item: any) => void} options.fillRow
   */
  constructor({ name, path, position, items, makeBook, fetchItems, newRow, fillRow }) {
    this.name = name;
    this.path = path;
    this.position = position;
    this.fetchItems = fetchItems;
    this.newRow = newRow;
    this.fillRow = fillRow;
    this.lastHeard = performance.now();
    /** @type {any[] | null} frames that arrive while the list is fetched */
    this.waiting = null;
    this.loads = 0;
    this.painting = 0;
    /** @type {Map<string, {row: HTMLElement, seq: number}>} */
    this.rows = new Map();
    this.book = makeBook(() => {
      this.painting ||= requestAnimationFrame(() => this.paint());
    });
    this.book.replace(items);
    follow({
      path: () => this.resumed(),
      onFrame: (frame) => this.receive(frame),
      onConnection: (connection) => showConnection(byId(`${name}-connection`), connection),
    });
  }

  resumed() {
    const resumable = performance.now() - this.lastHeard < RESUMABLE_MS;
    return `${this.path}${resumable ? `?since=${this.position}` : ""}`;
  }

  /** @param {any} frame */
  receive(frame) {
    this.lastHeard = performance.now();
    this.position = frame.position;
    if (frame.type === "snapshot") void this.load();
    else if (frame.type === "status" && this.waiting) this.waiting.push(frame);
    else if (frame.type === "status") this.book.take(frame);
  }

  /** @param {string} problem empty when there is none any more */
  tell(problem) {
    say(byId(`${this.name}-notice`), problem);
  }

  /** Fetch the list; what happens in the meantime is applied to it afterwards. */
  async load() {
    const load = ++this.loads;
    const waiting = (this.waiting ??= []);
    let items = null;
    let problem = "";
    try {
      items = await this.fetchItems();
    } catch (error) {
      problem = `The list could not be loaded: ${/** @type {Error} */ (error).message}.`;
    }
    // A later load is under way and takes over what waits.
    if (load !== this.loads) return;
    if (items) this.book.replace(items);
    this.tell(problem);
    this.waiting = null;
    for (const frame of waiting) this.book.take(frame);
  }

  paint() {
    this.painting = 0;
    const items = this.book.newest();
    const { id } = this.book;
    const body = byId(this.name).querySelector("tbody");
    byId(this.name).hidden = items.length === 0;
    byId(`${this.name}-empty`).hidden = items.length > 0;
    const shown = new Set(items.map((item) => item[id]));
    for (const [key, { row }] of this.rows) {
      if (shown.has(key)) continue;
      row.remove();
      this.rows.delete(key);
    }
    items.forEach((item, index) => {
      const row = this.row(item[id], item);
      // Rows stay where they are unless they must move, so that focus is kept.
      if (body?.children[index] !== row) body?.insertBefore(row, body.children[index] ?? null);
    });
  }

  /**
   * @param {string} key
   * @param {any} item
   */
  row(key, item) {
    const shown = this.rows.get(key) ?? { row: this.newRow(item), seq: -1 };
    if (shown.seq !== item.seq) this.fillRow(shown.row, item);
    shown.seq = item.seq;
    this.rows.set(key, shown);
    return shown.row;
  }
}
