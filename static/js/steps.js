/** Demand and supply as steps, and the numbers that axes show. Pure. */

/** @typedef {[number, number]} Step a price in ticks, and the lots at it */
/** @typedef {(value: number) => number} Scale */

// Orders further from the price than most would leave no room for those around it.
const SHARE_SHOWN = 0.8;
const ROOM = 1.35;
const LEAST_REACH = 3;

/**
 * Lots that buy at a price or at a higher one.
 * @param {Step[]} steps by rising price: each holds down to the one before
 * @param {number} tick
 */
export function demandAt(steps, tick) {
  return steps.find(([at]) => at >= tick)?.[1] ?? 0;
}

/**
 * Lots that sell at a price or at a lower one.
 * @param {Step[]} steps by rising price: each holds up to the next
 * @param {number} tick
 */
export function supplyAt(steps, tick) {
  return steps.findLast(([at]) => at <= tick)?.[1] ?? 0;
}

/**
 * @param {Step[]} steps
 * @param {[number, number]} range of prices
 * @param {Scale} x
 * @param {Scale} y
 */
export function demandPath(steps, [low, high], x, y) {
  let path = `M${x(low)},${y(demandAt(steps, low))}`;
  steps.forEach(([tick], index) => {
    if (tick >= low && tick < high) path += `H${x(tick)}V${y(steps[index + 1]?.[1] ?? 0)}`;
  });
  return `${path}H${x(high)}`;
}

/**
 * @param {Step[]} steps
 * @param {[number, number]} range of prices
 * @param {Scale} x
 * @param {Scale} y
 */
export function supplyPath(steps, [low, high], x, y) {
  let path = `M${x(low)},${y(supplyAt(steps, low))}`;
  for (const [tick, lots] of steps) {
    if (tick > low && tick <= high) path += `H${x(tick)}V${y(lots)}`;
  }
  return `${path}H${x(high)}`;
}

/**
 * The prices worth showing: most limits, with the clearing price in the middle.
 * @param {object} curve
 * @param {Step[]} curve.demand
 * @param {Step[]} curve.supply
 * @param {number} curve.firstTick the lowest price of the band
 * @param {number} curve.ticks prices in the band
 * @param {number} price in ticks
 * @returns {[number, number]}
 */
export function rangeOf({ demand, supply, firstTick, ticks }, price) {
  const last = firstTick + ticks - 1;
  // Market orders stand at the ends of the band, which says nothing of a price.
  const distances = [...demand, ...supply]
    .filter(([tick]) => tick > firstTick && tick < last)
    .map(([tick]) => Math.abs(tick - price))
    .sort((a, b) => a - b);
  const most = distances[Math.ceil(distances.length * SHARE_SHOWN) - 1] ?? 0;
  const reach = Math.max(LEAST_REACH, most * ROOM);
  return [price - reach, price + reach];
}

/**
 * A line from one range of numbers to another.
 * @param {[number, number]} values
 * @param {[number, number]} places
 * @returns {Scale}
 */
export function scale([low, high], [from, to]) {
  const span = high - low || 1;
  return (value) => Math.round((from + ((value - low) / span) * (to - from)) * 10) / 10;
}

/**
 * Round numbers between two others.
 * @param {[number, number]} range
 * @param {number} most how many at most
 */
export function marks([low, high], most) {
  const rough = (high - low) / most;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * step);
}
