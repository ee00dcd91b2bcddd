/** Statuses: text in its own colour, and the steps on the way to the last. */

/**
 * @param {HTMLElement} element
 * @param {string} status
 */
export function showStatus(element, status) {
  if (element.dataset.status === status) return;
  element.dataset.status = status;
  element.textContent = status;
}

/**
 * Mark how far something has come.
 * @param {HTMLElement} list the steps: each names its status, the last one is the good end
 * @param {string} status
 * @param {Iterable<string>} reached every status there was
 */
export function showSteps(list, status, reached) {
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  const steps = items.map((item) => item.dataset.step ?? "");
  const furthest = Math.max(...[...reached].map((state) => steps.indexOf(state)));
  const at = steps.indexOf(status);
  const current = at === -1 ? furthest : at;
  list.dataset.status = status;
  items.forEach((item, index) => {
    const done = index < current || status === steps.at(-1);
    item.classList.toggle("done", done);
    item.classList.toggle("current", index === current && !done);
    if (index === current) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
}
