/** Buttons that copy the text of another element. */

const CONFIRMATION_MS = 1500;

/** Make every `data-copy` button of the page work. */
export function enableCopying() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.addEventListener("click", () => copy(/** @type {HTMLElement} */ (button)));
  }
}

/** @param {HTMLElement} button */
async function copy(button) {
  const source = /** @type {HTMLElement} */ (document.getElementById(button.dataset.copy ?? ""));
  const label = /** @type {Text} */ (button.firstChild);
  const copied = await toClipboard(source.textContent ?? "");
  // Without a clipboard (plain HTTP), the text is selected for the keyboard's own copy.
  if (!copied) getSelection()?.selectAllChildren(source);
  label.data = copied ? "Copied" : "Selected";
  setTimeout(() => {
    label.data = "Copy";
  }, CONFIRMATION_MS);
}

/** @param {string} text */
async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
