// A UI at /ide/: it lists the registry's boards for the logged-in user, opens one and starts its network.

import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Bridge, openTab } from "./harness.mjs";

test("a UI at /ide/ lists the user's boards, opens one and starts its network", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "2", "--ide", process.env.IDE_DIR]);
  const { token, name } = JSON.parse(await bridge.cli("registry", "user", "show", "--json"));
  const tab = await openTab(t, bridge);
  const { page } = tab;
  await page.goto(`${bridge.base}ide/`);
  await page.getByLabel("Token").fill("nonsense");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("refused: 401").waitFor();
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText(name, { exact: true }).waitFor();
  const labels = (await bridge.boards()).map((board) => board.label).sort();
  await page.getByRole("listitem").nth(1).waitFor();
  assert.deepEqual((await page.getByRole("listitem").allTextContents()).sort(), labels);
  await page.getByRole("button", { name: labels[0] }).click();
  await page.getByText("started true, running true").waitFor();
  console.log(`the UI listed ${labels.join(", ")} for ${name}: ${await page.locator("#status").textContent()}`);
  assert.deepEqual(tab.foreign, []);
  assert.ok(tab.wrong.every((text) => text.includes("401")), tab.wrong.join("\n"));
});

test("Open in Flowhub on the dashboard leads to the UI of one's own, in a tab without the dashboard's token", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "1", "--ide", process.env.IDE_DIR]);
  const tab = await openTab(t, bridge);
  await tab.page.goto(await bridge.link());
  const opened = tab.context.waitForEvent("page");
  await tab.page.getByRole("link", { name: /^Open in Flowhub/ }).click();
  const ui = await opened;
  await ui.getByText("started true, running true").waitFor();
  assert.ok(ui.url().startsWith(`${bridge.base}ide/#runtime/endpoint?`), ui.url());
  assert.equal(await ui.evaluate("sessionStorage.length"), 0);
  assert.deepEqual([tab.foreign, tab.wrong], [[], []]);
});

test("files of the UI have their types and a policy of their own, and nothing outside is served", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), "ui-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, "index.html"), "<p>own</p>");
  await writeFile(join(dir, "a.woff2"), "font");
  await symlink("/etc/passwd", join(dir, "out"));
  const bridge = await Bridge.start(t, ["--ide", dir]);
  const get = (path, headers = {}) => fetch(bridge.base + path, { headers, redirect: "manual" });

  const redirect = await get("ide");
  assert.deepEqual([redirect.status, redirect.headers.get("location")], [308, "ide/"]);
  const page = await get("ide/");
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  const policy = page.headers.get("content-security-policy");
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /connect-src 'self' ws: wss:/);
  const font = await get("ide/a.woff2");
  assert.deepEqual([font.status, font.headers.get("content-type")], [200, "font/woff2"]);
  assert.equal((await get("ide/a.woff2", { "If-None-Match": font.headers.get("etag") })).status, 304);
  for (const path of ["out", "..%2f..%2fetc%2fpasswd", "%2e%2e/secret", "%2fetc%2fpasswd", "none.js", "a%00b"]) {
    assert.equal((await get(`ide/${path}`)).status, 404, path);
  }
});
