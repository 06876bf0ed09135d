// The registry's own page: runtimes come, change and go without a reload, and are opened from there.

import assert from "node:assert/strict";
import { test } from "node:test";

import { violations, walk } from "./axe.mjs";
import { Bridge, Registry, openTab, until } from "./harness.mjs";

/** How soon a change must be on the page. */
const SOON_MS = 1000;
const PHONE = { width: 360, height: 740 };
const UI = "https://ui.example/";

/** The `n`th id. */
const id = (n) => `${String(n).padStart(8, "0")}-1111-4111-8111-111111111111`;

/** A runtime as its program registers it. */
function record(n, user, label, more = {}) {
  return { id: id(n), user: user.id, label, secret: `secret-of-${n}`, protocol: "websocket", type: "microflo",
    address: `ws://127.0.0.1:3569/${id(n)}`, ...more };
}

/** Opens the page and signs in. */
async function signIn(t, server, path, user, options) {
  const tab = await openTab(t, server, options);
  await tab.page.goto(server.base + path);
  await tab.page.getByLabel("Token").fill(user.token);
  await tab.page.keyboard.press("Enter");
  await tab.page.getByText(/^Live: /).waitFor();
  return tab;
}

const itemOf = (page, label) => page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: label }) });

test("the registry's page asks for a token, and without one shows nothing", async (t) => {
  const registry = await Registry.start(t, []);
  const user = await registry.localUser();
  await registry.call("PUT", `runtimes/${id(1)}`, record(1, user, "Greenhouse"));
  const tab = await openTab(t, registry);
  const { page } = tab;
  await page.goto(registry.base);
  assert.equal(await page.evaluate("document.activeElement.id"), "token", "one can type at once");
  assert.ok(!(await page.content()).includes("Greenhouse"));
  await page.getByLabel("Token").fill("nonsense");
  await page.getByRole("button", { name: "Show my runtimes" }).click();
  await page.getByText("The token is not valid").first().waitFor();
  assert.equal(await page.evaluate("sessionStorage.length"), 0, "a wrong token is not kept");
  assert.ok(tab.wrong.splice(0).every((text) => text.includes("401")));

  await page.getByLabel("Token").fill(user.token);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Greenhouse" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Greenhouse" }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  assert.equal(await page.getByRole("listitem").count(), 0);
  assert.ok(!(await page.content()).includes("secret-of-1"));
  await page.reload();
  await page.getByLabel("Token").waitFor();

  // A link may bring the token along; it stays neither in the address bar nor in the history.
  await page.goto(`${registry.base}#token=${user.token}`);
  await page.getByRole("heading", { name: "Greenhouse" }).waitFor();
  assert.equal(page.url(), registry.base);
  await registry.cli("registry", "user", "rotate", "local");
  await page.reload();
  await page.getByText("The token is not valid").first().waitFor();
  assert.equal(await page.getByRole("listitem").count(), 0);
  assert.deepEqual(tab.foreign, []);
});

test("runtimes come, change, fall silent and go on the registry's page without a reload", async (t) => {
  const registry = await Registry.start(t, ["--offline-after", "2"]);
  const user = await registry.localUser();
  const tab = await signIn(t, registry, "", user);
  const { page } = tab;
  await page.evaluate("window.notReloaded = true");
  await page.getByRole("heading", { name: "No runtime yet" }).waitFor();

  const soon = async (what, change, shown) => {
    const began = Date.now();
    await change();
    await shown();
    const took = Date.now() - began;
    console.log(`${what}: on the page after ${took} ms`);
    assert.ok(took < SOON_MS, `${what} took ${took} ms`);
  };
  const put = (n, label) => registry.call("PUT", `runtimes/${id(n)}`, record(n, user, label));
  const seen = (label) => () => itemOf(page, label).waitFor();
  await soon("a runtime that is registered", () => put(2, "Board 2"), seen("Board 2"));
  await soon("another one", () => put(10, "Board 10"), seen("Board 10"));
  await soon("one before both", () => put(3, "Alarm"), seen("Alarm"));
  const order = () => page.getByRole("heading", { level: 2 }).locator("visible=true").allTextContents();
  assert.deepEqual(await order(), ["Alarmonline", "Board 2online", "Board 10online"], "by name, numbers in their order");
  await soon("another label", () => put(3, "Board 3"), seen("Board 3"));
  assert.deepEqual(await order(), ["Board 2online", "Board 3online", "Board 10online"]);
  const remove = () => registry.call("DELETE", `runtimes/${id(10)}`, null, user.token);
  await soon("one that is deleted", remove, () => itemOf(page, "Board 10").waitFor({ state: "detached" }));
  await page.getByRole("status").getByText("Board 10 is gone").waitFor({ state: "attached" });

  await itemOf(page, "Board 2").getByText("offline").waitFor();
  await page.getByText("Live: 2 registered, 0 online.").waitFor();
  await itemOf(page, "Board 2").getByText("last seen").waitFor();
  await soon("one that pings again", () => registry.call("POST", `runtimes/${id(2)}`), () =>
    itemOf(page, "Board 2").getByText("online", { exact: true }).waitFor());
  assert.ok(await page.evaluate("window.notReloaded"));

  // The page comes back by itself, with what happened meanwhile.
  await registry.stop();
  await page.getByText(/trying again|Connecting again/).first().waitFor();
  tab.wrong.length = 0;
  const again = await Registry.start(t, [], { port: registry.port, state: registry.dir });
  await again.call("PUT", `runtimes/${id(4)}`, record(4, user, "Board 4"));
  await itemOf(page, "Board 4").waitFor();
  await page.getByText("Live: 3 registered").waitFor();
  assert.ok(await page.evaluate("window.notReloaded"));
  assert.deepEqual(tab.foreign, []);
  assert.ok(tab.wrong.every((text) => text.includes("ERR_CONNECTION_REFUSED")), tab.wrong.join("\n"));
});

test("whatever a runtime says of itself is text on the registry's page", async (t) => {
  const registry = await Registry.start(t, ["--ide", UI]);
  const user = await registry.localUser();
  const tab = await signIn(t, registry, "", user);
  const { page } = tab;
  const markup = `<img src=x onerror="window.harmed = true"><b>bold</b>`;
  const more = { description: markup, address: `ws://h/"><script>window.harmed = true</script>`, protocol: markup };
  await registry.call("PUT", `runtimes/${id(1)}`, record(1, user, markup, more));
  await itemOf(page, markup).waitFor();
  assert.equal(await page.locator("li img, li b, li script").count(), 0);
  assert.equal(await page.evaluate("window.harmed"), undefined);
  const links = await page.locator("li a").evaluateAll((all) => all.map((link) => link.href));
  assert.ok(links.every((link) => link.startsWith(`${UI}#runtime/endpoint?`)), links.join());
  assert.deepEqual([tab.foreign, tab.wrong], [[], []]);
});

test("a bridge's boards are on the registry's page, and open from there in the registry's own UI", async (t) => {
  const registry = await Registry.start(t, ["--ide", process.env.IDE_DIR]);
  const user = await registry.localUser();
  const tab = await signIn(t, registry, "", user);
  const { page } = tab;
  process.env.MICROFLO_BRIDGE_REGISTRY_TOKEN = user.token;
  t.after(() => delete process.env.MICROFLO_BRIDGE_REGISTRY_TOKEN);
  const there = ["--registry", registry.base, "--user", user.id, "--ide", `${registry.base}ide/`];
  const bridge = await Bridge.start(t, ["--simulate", "1", ...there]);
  const [board] = await bridge.boards();
  const item = itemOf(page, board.label);
  await item.getByText("online", { exact: true }).waitFor();
  const link = page.getByRole("link", { name: `Open live: ${board.label}` });
  assert.equal(await link.getAttribute("href"), board.liveUrl, "the same link as the bridge's");
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  const opened = tab.context.waitForEvent("page");
  await link.click();
  const ui = await opened;
  await ui.getByText("started true, running true").waitFor();
  console.log(`${board.label}: ${await ui.locator("#status").textContent()}`);
  assert.equal(await ui.evaluate("sessionStorage.length"), 0, "the token is not handed on");
  // The UI talks to the board itself, at its bridge.
  assert.deepEqual(tab.foreign.splice(0), []);
  await bridge.stop();
  await registry.cli("registry", "user", "rotate", "local");
});

test("a bridge has the registry's page too", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "2"]);
  const tab = await signIn(t, bridge, "registry", await bridge.localUser());
  await tab.page.getByText("Live: 2 registered, 2 online.").waitFor();
  for (const board of await bridge.boards()) {
    const link = tab.page.getByRole("link", { name: `Open live: ${board.label}` });
    assert.equal(await link.getAttribute("href"), board.liveUrl);
  }
  assert.deepEqual([tab.foreign, tab.wrong], [[], []]);
});

for (const colorScheme of ["light", "dark"]) {
  test(`everybody can use the registry's page in the ${colorScheme} theme, also on a phone`, async (t) => {
    const registry = await Registry.start(t, ["--offline-after", "3600"]);
    const user = await registry.localUser();
    const tab = await openTab(t, registry, { colorScheme, bypassCSP: true });
    const { page } = tab;
    const check = async (state) => {
      const { found, checks } = await violations(page);
      console.log(`${colorScheme}, ${state}: ${checks} rules passed, ${found.length} violated`);
      assert.deepEqual(found, [], state);
      const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      assert.ok(wide <= 0, `${state}: the page is ${wide} px too wide`);
    };
    await page.goto(registry.base);
    await check("asks for the token");
    await page.getByLabel("Token").fill(user.token);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "No runtime yet" }).waitFor();
    await check("empty");
    for (const n of [1, 2, 3]) {
      const long = { description: "By the window ".repeat(n * 4), address: `ws://${"a-long-name.".repeat(n * 4)}example/${id(n)}` };
      await registry.call("PUT", `runtimes/${id(n)}`, record(n, user, `Board ${n} ${"WithoutASpace".repeat(n * 2)}`, long));
    }
    await until(async () => (await page.getByRole("listitem").count()) === 3);
    await check("with runtimes");
    // Anew, so that Tab begins at the top.
    await page.reload();
    await page.getByText("Live: 3 registered").waitFor();
    const stops = await walk(page);
    console.log(`Tab stops: ${stops.map((stop) => stop.name).join(" → ")}`);
    assert.deepEqual(stops.filter((stop) => !stop.seen), [], "stops whose focus cannot be seen");
    assert.equal(stops.length, 4, "Sign out, and three links");
    // An update takes the focus away from nobody.
    await page.getByRole("link", { name: /Board 2/ }).focus();
    await registry.call("PUT", `runtimes/${id(2)}`, record(2, user, "Board 2 renamed"));
    await itemOf(page, "Board 2 renamed").waitFor();
    assert.match(await page.evaluate("document.activeElement.ariaLabel"), /Board 2 renamed/);
    await page.setViewportSize(PHONE);
    await check("on a phone");
  });
}

test("the policy of the registry's page lets in nothing but its own files", async (t) => {
  const registry = await Registry.start(t, []);
  const page = await fetch(registry.base);
  const policy = page.headers.get("content-security-policy");
  assert.match(policy, /^default-src 'self'; frame-ancestors 'none';/);
  assert.match(policy, /require-trusted-types-for 'script'; trusted-types 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
  for (const path of ["", "registry/page.js", "registry/page.css", "registry/icon.svg"]) {
    const answer = await fetch(registry.base + path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    const text = await answer.text();
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacent|eval\(| on[a-z]+=|<style| style=/, path);
    if (!path.endsWith(".svg")) assert.doesNotMatch(text, /https?:\/\//, path);
  }
});
