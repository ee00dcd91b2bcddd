/** Data goes into the page as text, through the `data-slot` attributes of the templates. */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}

/**
 * A copy of a `<template>`'s only element.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function stamp(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/**
 * @template {HTMLElement} T
 * @param {ParentNode} root
 * @param {string} name
 * @returns {T}
 */
export function slot(root, name) {
  return /** @type {T} */ (root.querySelector(`[data-slot="${name}"]`));
}

/**
 * Write texts into slots; a text that stays the same is left alone.
 * @param {ParentNode} root
 * @param {Record<string, string>} texts by slot
 */
export function fill(root, texts) {
  for (const [name, text] of Object.entries(texts)) {
    const element = slot(root, name);
    if (element.textContent !== text) element.textContent = text;
  }
}

/**
 * Show a text, or hide the element where there is none.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

/**
 * The data the server put into the page.
 * @param {string} id
 * @returns {any}
 */
export function pageData(id) {
  return JSON.parse(byId(id).textContent ?? "null");
}
