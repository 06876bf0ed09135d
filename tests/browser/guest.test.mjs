// Without the token: the page shows, tells no secret, changes nothing, and says how to get more.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Bridge, openTab } from "./harness.mjs";

test("without the token the dashboard shows no secret and no button works", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "2"]);
  const boards = await bridge.boards();
  const secrets = boards.flatMap((board) => [board.liveUrl, board.readOnlyLiveUrl]).map((url) => url.split("secret%3D")[1]);
  const token = new URL(await bridge.link()).hash.slice("#token=".length);
  const tab = await openTab(t, bridge);
  const heard = [];
  tab.page.on("request", (request) => heard.push(request.method(), request.url()));
  // A stream never ends, so what it brings is asked for apart from the page.
  const stream = await fetch(`${bridge.base}api/events`);
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  while (!told.includes("event: boards") || !told.endsWith("\n\n")) told += (await reader.read()).value;
  await reader.cancel();

  await tab.page.goto(bridge.base);
  await tab.page.locator("article").nth(1).waitFor();
  await tab.page.getByText("microflo-bridge dashboard", { exact: true }).waitFor();
  const page = await tab.page.content();
  for (const secret of [...secrets, token]) {
    assert.ok(secret.length > 20);
    assert.ok(!page.includes(secret) && !told.includes(secret) && !heard.join().includes(secret), "a secret is shown");
  }
  assert.equal(await tab.page.locator("button, input, article a").count(), 0, "nothing can be pressed");
  assert.equal(await tab.page.evaluate("sessionStorage.length"), 0);
  assert.ok(heard.every((word) => word !== "POST"));
  assert.deepEqual([tab.foreign, tab.wrong], [[], []]);
});

test("what the buttons ask for is refused without the token, with a wrong one, and to other sites", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "1"]);
  const [board] = await bridge.boards();
  const token = new URL(await bridge.link()).hash.slice("#token=".length);
  const post = (headers, action = "label", body = { label: "x" }) =>
    fetch(`${bridge.base}api/boards/${board.id}/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    }).then((answer) => answer.status);
  const bearer = { Authorization: `Bearer ${token}` };
  assert.equal(await post({}), 401);
  assert.equal(await post({}, "allow", {}), 401);
  assert.equal(await post({ Authorization: "Bearer nonsense" }), 401);
  assert.equal(await post({ ...bearer, Origin: "https://evil.example" }), 403);
  assert.equal(await post({ ...bearer, "Content-Type": "text/plain" }), 415);
  assert.equal((await bridge.boards())[0].label, board.label);
  assert.equal(await post(bearer), 204);
  assert.equal((await fetch(`${bridge.base}api/dashboard`)).status, 403);
  assert.equal((await fetch(`${bridge.base}api/events?token=${token}`)).status, 200, "a token in a query is none");
  assert.equal((await fetch(`${bridge.base}api/events`, { headers: { Authorization: "Bearer x" } })).status, 401);
});

test("the link that a browser is started with is good once", async (t) => {
  const bridge = await Bridge.start(t, ["--simulate", "1"]);
  const { once } = JSON.parse(await bridge.cli("dashboard", "--json"));
  const owner = await openTab(t, bridge);
  await owner.page.goto(once);
  await owner.page.getByRole("link", { name: /^Open in Flowhub/ }).waitFor();
  assert.equal(owner.page.url(), bridge.base);
  const spy = await openTab(t, bridge);
  await spy.page.goto(once);
  await spy.page.getByText("This link was used already or is too old").waitFor();
  assert.equal(await spy.page.locator("button, article a").count(), 0);
});

test("the page's policy lets in nothing but its own files, and they are asked for once", async (t) => {
  const bridge = await Bridge.start(t, []);
  const page = await fetch(bridge.base);
  const policy = page.headers.get("content-security-policy");
  assert.match(policy, /^default-src 'self'; frame-ancestors 'none';/);
  assert.match(policy, new RegExp(`connect-src 'self' ws://127.0.0.1:${bridge.port} `));
  assert.doesNotMatch(policy, /unsafe|\*/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.equal(page.headers.get("referrer-policy"), "no-referrer");
  const script = await fetch(`${bridge.base}dashboard/main.js`);
  assert.equal(script.headers.get("content-type"), "text/javascript; charset=utf-8");
  const again = await fetch(`${bridge.base}dashboard/main.js`, { headers: { "If-None-Match": script.headers.get("etag") } });
  assert.equal(again.status, 304);
});
