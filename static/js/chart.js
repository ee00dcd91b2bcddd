/** Charts as SVG, as wide as their place, drawn anew when that changes. */

import { scale } from "./steps.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 232;
const MARGIN = { top: 22, right: 10, bottom: 24, left: 10 };

/** @typedef {{left: number, right: number, top: number, bottom: number}} Frame */

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 */
export function element(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A figure's drawing. */
export class Chart {
  /** @param {HTMLElement} figure */
  constructor(figure) {
    this.figure = figure;
    this.words = "";
    /** @type {((frame: Frame) => SVGElement[]) | null} */
    this.draw = null;
    new ResizeObserver(() => this.paint()).observe(figure);
  }

  /**
   * @param {string} words what the chart says, for those who do not see it
   * @param {(frame: Frame) => any[]} draw its parts
   */
  show(words, draw) {
    this.words = words;
    this.draw = draw;
    this.figure.hidden = false;
    this.paint();
  }

  hide() {
    this.draw = null;
    this.figure.hidden = true;
  }

  paint() {
    const width = this.figure.clientWidth;
    if (!this.draw || !width) return;
    const size = { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT };
    const svg = element("svg", { ...size, role: "img", "aria-label": this.words });
    const { top, right, bottom, left } = MARGIN;
    const frame = { left, right: width - right, top, bottom: HEIGHT - bottom };
    svg.append(...this.draw(frame));
    const before = this.figure.querySelector("svg");
    if (before) before.replaceWith(svg);
    else this.figure.prepend(svg);
  }
}

/**
 * Lines across the frame, each with what it stands for.
 * @param {Frame} frame
 * @param {number[]} values
 * @param {(value: number) => number} y
 * @param {(value: number) => string} label
 */
export function levels({ left, right }, values, y, label) {
  return values.flatMap((value) => [
    element("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }),
    element("text", { class: "label", x: left, y: y(value) - 4 }, label(value)),
  ]);
}

/**
 * What the places along the bottom stand for.
 * @param {Frame} frame
 * @param {[number, string][]} labels by place; the first and the last stay within the frame
 */
export function bottomLabels({ left, right, bottom }, labels) {
  return labels.map(([x, text]) => {
    const edge = x - left < 30 ? "" : right - x < 30 ? " end" : " middle";
    const place = edge === " end" ? right : edge ? x : left;
    return element("text", { class: `label${edge}`, x: place, y: bottom + 17 }, text);
  });
}

/**
 * @param {Frame} frame
 * @param {[number, number]} values
 * @returns {(value: number) => number}
 */
export function across({ left, right }, values) {
  return scale(values, [left, right]);
}

/**
 * @param {Frame} frame
 * @param {[number, number]} values
 * @returns {(value: number) => number}
 */
export function upwards({ top, bottom }, values) {
  return scale(values, [bottom, top]);
}
