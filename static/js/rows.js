/** Rows of a table that stay where they are as what they show changes, so that focus is kept. */

import { byId } from "./dom.js";

/** The body of the table `NAME`, and what is said at `NAME-empty` where it has no rows. */
export class Rows {
  /**
   * @param {string} name
   * @param {(id: string) => HTMLElement} newRow a row for the item of this id
   * @param {(row: HTMLElement, item: any) => void} fillRow
   */
  constructor(name, newRow, fillRow) {
    this.name = name;
    this.newRow = newRow;
    this.fillRow = fillRow;
    /** @type {Map<string, {row: HTMLElement, shown: string}>} */
    this.known = new Map();
  }

  /** @param {any[]} items each with its `id`, in the order of the rows */
  show(items) {
    byId(this.name).hidden = !items.length;
    byId(`${this.name}-empty`).hidden = items.length > 0;
    const body = /** @type {HTMLElement} */ (byId(this.name).querySelector("tbody"));
    const wanted = new Set(items.map(({ id }) => id));
    for (const [id, { row }] of this.known) {
      if (wanted.has(id)) continue;
      row.remove();
      this.known.delete(id);
    }
    items.forEach((item, index) => {
      const row = this.row(item);
      if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
    });
  }

  /** @param {any} item */
  row(item) {
    const text = JSON.stringify(item);
    const known = this.known.get(item.id) ?? { row: this.newRow(item.id), shown: "" };
    if (known.shown !== text) this.fillRow(known.row, item);
    known.shown = text;
    this.known.set(item.id, known);
    return known.row;
  }
}
