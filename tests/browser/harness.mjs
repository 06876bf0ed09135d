// The bridge as a user starts it, real firmware, and a real Chromium.

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

/** Where setup.sh has put the npm packages. */
export const modules = createRequire(join(process.env.BROWSER_MODULES ?? import.meta.dirname, "x.js"));
const { chromium } = modules("playwright-core");
const program = process.env.BRIDGE ?? join(import.meta.dirname, "../../target/debug/microflo-bridge");
/** Real firmware that blinks, if it is built here. */
export const firmware = process.env.FIRMWARE && existsSync(process.env.FIRMWARE) ? process.env.FIRMWARE : null;

/** How long anything may take on a busy machine; nothing is measured by it. */
export const PATIENCE_MS = 15_000;

async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** The program, running as a server with a state directory of its own. */
class Server {
  static async start(t, args, { port, state } = {}) {
    const server = new this();
    server.dir = state ?? (await mkdtemp(join(tmpdir(), "bridge-")));
    server.port = port ?? (await freePort());
    server.base = `http://127.0.0.1:${server.port}/`;
    const common = ["--listen", `127.0.0.1:${server.port}`, "--state-dir", join(server.dir, "state")];
    server.child = spawn(program, [...this.command, ...common, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    server.log = "";
    server.child.stderr.on("data", (text) => (server.log += text));
    t.after(async () => {
      await server.stop();
      if (!state) await rm(server.dir, { recursive: true, force: true });
    });
    await until(() => {
      if (server.child.exitCode !== null) throw new Error(`the server ended:\n${server.log}`);
      return server.answers().then(() => true, () => false);
    });
    return server;
  }

  async cli(...args) {
    const { stdout } = await promisify(execFile)(program, [...args, "--state-dir", join(this.dir, "state")]);
    return stdout;
  }

  /** The local user of its registry. */
  async localUser() {
    return JSON.parse(await this.cli("registry", "user", "show", "--json"));
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGTERM");
    await new Promise((done) => this.child.once("exit", done));
  }
}

/** A running bridge. */
export class Bridge extends Server {
  static command = ["run"];

  answers() {
    return this.cli("list", "--json");
  }

  async boards() {
    return JSON.parse(await this.cli("list", "--json"));
  }

  /** The link with the token. */
  async link() {
    return (await this.cli("dashboard", "--print")).trim();
  }
}

/** A registry without a bridge. */
export class Registry extends Server {
  static command = ["registry", "serve"];

  answers() {
    return fetch(`${this.base}healthz`);
  }

  /** Makes a call that must succeed. */
  async call(method, path, body, token) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(this.base + path, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  }
}

/** Starts a program that serves a pseudo-terminal; resolves once the terminal is there. */
async function plug(t, device, command, args) {
  const board = spawn(command, args, { stdio: "ignore" });
  const unplug = () => {
    if (board.exitCode === null && board.signalCode === null) board.kill("SIGKILL");
  };
  t.after(unplug);
  await until(() => existsSync(device));
  return unplug;
}

/** Real firmware at that path. */
export function plugIn(t, device) {
  return plug(t, device, firmware, [device]);
}

/** A simulated board at that path, in a process of its own. */
export function plugInSimulated(t, device) {
  return plug(t, device, program, ["simulate", "--dir", dirname(device)]);
}

/** Where a board of that kind will be, and what its components are. */
export async function map(t, kind) {
  const dir = await mkdtemp(join(tmpdir(), "board-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  if (kind === "real firmware") return { device: join(dir, "uno"), components: dirname(firmware) };
  const device = join(dir, "board-1");
  // The simulator writes the component map, which the bridge wants to read at its start.
  (await plugInSimulated({ after() {} }, device))();
  await rm(device, { force: true });
  return { device, components: join(dir, "components.json") };
}

/** Waits until that holds. */
export async function until(holds) {
  const began = Date.now();
  while (!(await holds())) {
    if (Date.now() - began > PATIENCE_MS) throw new Error(`in vain: ${holds}`);
    await pause(10);
  }
}

/** A tab that notes what leaves the origin, and everything that goes wrong in it. */
export async function openTab(t, bridge, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  t.after(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const tab = { page, context, foreign: [], wrong: [] };
  context.on("request", (request) => {
    if (!request.url().startsWith(bridge.base) && !request.url().startsWith("data:")) tab.foreign.push(request.url());
  });
  page.on("websocket", (socket) => {
    if (!socket.url().startsWith(bridge.base.replace("http", "ws"))) tab.foreign.push(socket.url());
  });
  page.on("pageerror", (error) => tab.wrong.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") tab.wrong.push(message.text());
  });
  return tab;
}

/** The card of the board with that label. */
export function cardOf(page, label) {
  return page.locator("article").filter({ has: page.locator("h2", { hasText: label }) });
}
