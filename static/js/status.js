/** Statuses: text in its own colour, and the steps of an order's way. */

const STEPS = ["PENDING", "ROUTING", "BUILDING", "SUBMITTED", "CONFIRMED"];

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
 * Mark how far an order has come.
 * @param {HTMLElement} list the list of steps
 * @param {string} status
 * @param {Iterable<string>} reached every status the order has had
 */
export function showSteps(list, status, reached) {
  const furthest = Math.max(...[...reached].map((state) => STEPS.indexOf(state)));
  const at = STEPS.indexOf(status);
  const current = at === -1 ? furthest : at;
  list.dataset.status = status;
  for (const item of list.children) {
    const index = STEPS.indexOf(/** @type {HTMLElement} */ (item).dataset.step ?? "");
    const done = index < current || status === "CONFIRMED";
    item.classList.toggle("done", done);
    item.classList.toggle("current", index === current && !done);
    if (index === current) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  }
}
