/** The newest objects of a list, kept up to date by a feed. */

/** @typedef {Record<string, any> & {seq: number}} Item */

/**
 * Items by id, of which the newest `limit` are kept. An item's `seq` tells which frames it has in
 * it already, so that it does not matter whether a frame or a fresh copy arrives first.
 */
export class Book {
  /**
   * @param {object} options
   * @param {string} options.id the name of the ids, in items and frames; they are in order of time
   * @param {number} options.limit
   * @param {(id: string, frame: any) => Promise<any>} options.fetchItem what a frame is about
   * @param {(item: any) => boolean} options.wanted whether an item belongs into the list
   * @param {(item: any, frame: any) => any} options.applied the item after a frame
   * @param {(frame: any) => any} options.born the item of the first frame of its life
   * @param {() => void} options.onChange
   */
  constructor({ id, limit, fetchItem, wanted, applied, born, onChange }) {
    this.id = id;
    this.limit = limit;
    this.fetchItem = fetchItem;
    this.wanted = wanted;
    this.applied = applied;
    this.born = born;
    this.onChange = onChange;
    /** @type {Map<string, Item>} */
    this.items = new Map();
  }

  /** @returns {any[]} newest first */
  newest() {
    return [...this.items.values()].sort((a, b) => (a[this.id] < b[this.id] ? 1 : -1));
  }

  /** @param {Item[]} items all that is to be shown from now on */
  replace(items) {
    const known = this.items;
    this.items = new Map();
    for (const item of items) {
      const mine = known.get(item[this.id]);
      this.items.set(item[this.id], mine && mine.seq > item.seq ? mine : item);
    }
    this.onChange();
  }

  /** @param {any} frame */
  take(frame) {
    const id = frame[this.id];
    const known = this.items.get(id);
    if (known && frame.seq <= known.seq) return;
    if (known && frame.seq === known.seq + 1) this.put(this.applied(known, frame));
    else if (frame.seq === 1) this.put(this.born(frame));
    else if (known || this.hasRoomFor(id)) void this.refresh(id, frame);
  }

  /** @param {Item} item */
  put(item) {
    const known = this.items.get(item[this.id]);
    if (known && known.seq > item.seq) return;
    if (this.wanted(item)) this.items.set(item[this.id], item);
    // What has moved on is not of the kind that is looked for any more.
    else if (!this.items.delete(item[this.id])) return;
    for (const old of this.newest().slice(this.limit)) this.items.delete(old[this.id]);
    this.onChange();
  }

  /**
   * @param {string} id
   * @param {any} frame
   */
  async refresh(id, frame) {
    try {
      this.put(await this.fetchItem(id, frame));
    } catch {
      // The item's next frame, or the next list, brings what is missing.
    }
  }

  /** @param {string} id */
  hasRoomFor(id) {
    return this.items.size < this.limit || id > (this.newest().at(-1)?.[this.id] ?? "");
  }
}
