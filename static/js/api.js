/** Calls of the REST API with the page's session. */

/**
 * @typedef {{field: string, code: string, message: string}} FieldError
 */

/** The API refused: an `application/problem+json` document. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{title?: string, detail?: string, code?: string, errors?: FieldError[]}} problem
   */
  constructor(status, problem) {
    const title = problem.title ?? `The server answered ${status}`;
    super(problem.detail ? `${title}: ${problem.detail}` : title);
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }
}

/** No answer came: whether the request was carried out is not known. */
export class NoAnswer extends Error {
  constructor() {
    super("The server cannot be reached");
  }
}

/**
 * @param {string} path
 * @param {{signal?: AbortSignal}} [options]
 */
export function get(path, { signal } = {}) {
  return call(path, { signal });
}

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {{signal?: AbortSignal, idempotencyKey?: string}} [options]
 */
export function post(path, body = {}, { signal, idempotencyKey } = {}) {
  /** @type {Record<string, string>} */
  const headers = { "Content-Type": "application/json" };
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  return call(path, { method: "POST", headers, body: JSON.stringify(body), signal });
}

/** @param {string} path */
export function remove(path) {
  return call(path, { method: "DELETE" });
}

/**
 * @param {string} path
 * @param {RequestInit} init
 * @returns {Promise<any>} the answer's JSON
 * @throws {Refused | NoAnswer | DOMException} the last one when it was aborted
 */
async function call(path, init) {
  let response;
  let answer;
  try {
    response = await fetch(path, { credentials: "same-origin", ...init });
    answer = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new NoAnswer();
  }
  const document = parse(answer);
  if (!response.ok) throw new Refused(response.status, document ?? {});
  return document;
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
