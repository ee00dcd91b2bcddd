/** A feed that outlives its connections: resumes where it was, with back-off, until it ends. */

/**
 * @typedef {{kind: "connecting" | "live" | "down" | "ended"}
 *   | {kind: "refused", message: string}} Connection
 */

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
// The server sends a heartbeat every 10 s; three that stay away mean a connection that is dead.
const SILENCE_MS = 35_000;

const ENDED = 1000;
const REFUSED = new Map([
  [4400, "The live updates were refused."],
  [4401, "Your session has ended. Reload the page and sign in."],
  [4403, "You may not follow these updates."],
  [4404, "What you follow is not there."],
]);

/**
 * Follow a feed.
 * @param {object} options
 * @param {() => string} options.path where to connect, asked anew for every connection, so that it
 *   can name where to resume
 * @param {(frame: any) => void} options.onFrame called with every frame but heartbeats
 * @param {(connection: Connection) => void} options.onConnection
 * @returns {{close: () => void, restart: () => void}}
 */
export function follow({ path, onFrame, onConnection }) {
  /** @type {WebSocket | null} */
  let socket = null;
  let live = false;
  let failures = 0;
  let retryTimer = 0;
  let silenceTimer = 0;

  function connect() {
    clearTimeout(retryTimer);
    onConnection({ kind: "connecting" });
    const url = new URL(path(), location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const current = new WebSocket(url);
    socket = current;
    expectSound(current);
    current.onmessage = (message) => {
      if (current !== socket) return;
      expectSound(current);
      receive(JSON.parse(message.data));
    };
    current.onclose = (event) => {
      if (current === socket) lost(event.code);
    };
  }

  /** @param {any} frame */
  function receive(frame) {
    if (frame.type === "heartbeat" || frame.type === "error") return;
    if (!live) onConnection({ kind: "live" });
    live = true;
    failures = 0;
    onFrame(frame);
  }

  /** @param {number} code */
  function lost(code) {
    drop();
    if (code === ENDED) onConnection({ kind: "ended" });
    else if (REFUSED.has(code)) onConnection({ kind: "refused", message: REFUSED.get(code) ?? "" });
    else retryLater();
  }

  function retryLater() {
    const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    failures += 1;
    // Jitter: not all pages come back in the same moment.
    retryTimer = setTimeout(connect, full * (0.5 + Math.random() / 2));
    onConnection({ kind: "down" });
  }

  /** @param {WebSocket} current */
  function expectSound(current) {
    clearTimeout(silenceTimer);
    silenceTimer = setTimeout(() => current === socket && restart(), SILENCE_MS);
  }

  function drop() {
    clearTimeout(silenceTimer);
    clearTimeout(retryTimer);
    const old = socket;
    socket = null;
    live = false;
    old?.close();
  }

  function restart() {
    drop();
    connect();
  }

  function hurry() {
    if (!socket) restart();
  }

  function close() {
    drop();
    removeEventListener("online", hurry);
  }

  addEventListener("online", hurry);
  connect();
  return { close, restart };
}

const WORDS = {
  connecting: "Connecting…",
  live: "Live",
  down: "Live updates interrupted, reconnecting…",
  ended: "",
};

/**
 * Say how a feed's connection is.
 * @param {HTMLElement} element
 * @param {Connection} connection
 */
export function showConnection(element, connection) {
  // While it reconnects, the notice stays until the connection is there.
  if (connection.kind === "connecting" && element.textContent) return;
  element.dataset.state = connection.kind;
  element.textContent = connection.kind === "refused" ? connection.message : WORDS[connection.kind];
}
