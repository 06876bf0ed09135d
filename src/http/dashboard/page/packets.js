// What flows on a board: the page as an FBP client with the secret that only allows to look.

/** Pauses between attempts to connect, in milliseconds. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
/** Sockets that the page has open at once; other boards' packets wait until there is room. */
const MOST_SOCKETS = 12;

let open = 0;

export class Packets {
  /** `on.packet`, `on.changed` (the graph), `on.status` (words) and `on.watching` (the socket opens or closes). */
  constructor(on) {
    this.on = on;
    this.board = null;
    this.socket = null;
    this.pause = FIRST_RETRY_MS;
    this.graph = null;
  }

  /** Asks for the packets on all edges of a graph; boards report only what somebody has chosen. */
  choose(graph) {
    this.graph = graph;
    if (!this.isOpen()) return;
    const end = ({ process, port }) => ({ node: process, port });
    const edges = graph.connections.filter(({ src }) => src).map(({ src, tgt }) => ({ src: end(src), tgt: end(tgt) }));
    this.say("network", "edges", { graph: graph.properties.name, edges, secret: secretOf(this.board.readOnlyLiveUrl) });
  }

  isOpen() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Follows that board, or none. */
  follow(board) {
    const same = board?.id === this.board?.id;
    this.board = board;
    if (same) return;
    clearTimeout(this.retry);
    this.pause = FIRST_RETRY_MS;
    this.close();
    if (board) this.connect();
  }

  close() {
    if (!this.socket) return;
    this.socket.onclose = this.socket.onmessage = this.socket.onopen = null;
    this.socket.close();
    this.ended();
  }

  ended() {
    open -= 1;
    this.socket = null;
    this.on.watching();
  }

  connect() {
    const secret = secretOf(this.board.readOnlyLiveUrl);
    if (!secret) return;
    if (open >= MOST_SOCKETS) return this.later();
    open += 1;
    const socket = new WebSocket(address(this.board.id), ["noflo"]);
    this.socket = socket;
    socket.onopen = () => {
      this.pause = FIRST_RETRY_MS;
      this.say("runtime", "getruntime", { secret });
      this.on.watching();
    };
    socket.onmessage = ({ data }) => this.take(JSON.parse(data), secret);
    socket.onclose = () => {
      this.ended();
      this.on.status("");
      this.later();
    };
  }

  later() {
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.board && !this.socket && this.connect(), this.pause);
    this.pause = Math.min(this.pause * 2, LAST_RETRY_MS);
  }

  say(protocol, command, payload) {
    this.socket.send(JSON.stringify({ protocol, command, payload }));
  }

  take({ protocol, command, payload }, secret) {
    if (protocol === "runtime" && command === "runtime") {
      if (payload.graph) this.say("network", "getstatus", { graph: payload.graph, secret });
      if (this.graph) this.choose(this.graph);
    } else if (protocol === "network" && command === "data" && payload.src) this.on.packet(payload);
    else if (protocol === "network" && ["status", "started", "stopped"].includes(command)) {
      this.on.status(payload.running ? "running" : "stopped");
    } else if (protocol === "graph" && command !== "error") this.on.changed();
  }
}

/** The board's socket at the server that this page is from, whatever the bridge is called elsewhere. */
function address(id) {
  const url = new URL(id, document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The secret in a live URL. */
function secretOf(liveUrl) {
  const endpoint = (liveUrl ?? "").split("#runtime/endpoint?")[1];
  return endpoint && new URLSearchParams(decodeURIComponent(endpoint)).get("secret");
}
