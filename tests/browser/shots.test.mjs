// The pictures of the documentation: made only where SHOTS names a directory for them.

import { cp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { Bridge, Registry, firmware, map, openTab, plugIn, plugInSimulated } from "./harness.mjs";
import { machineWithChip } from "./usb.mjs";

const DIR = process.env.SHOTS;
/** So that the sparklines have something to show. */
const TRAFFIC_MS = Number(process.env.SHOTS_AFTER_MS ?? 20_000);
const PHONE = { width: 390, height: 844 };

const WATERING = `
'250' -> INTERVAL clock(Timer) OUT -> IN toggle(ToggleBoolean) OUT -> IN split(Split)
split OUT1 -> IN pump(Forward)
split OUT2 -> IN invert(InvertBoolean) OUT -> IN lamp(Forward)
`;

test("pictures", { skip: (!DIR && "SHOTS is not set") || (!firmware && "the firmware is not built here") }, async (t) => {
  const chip = await map(t, "a simulated board");
  await plugInSimulated(t, chip.device);
  const usb = await machineWithChip(t, chip.device, join(tmpdir(), "pc"));
  const own = join(tmpdir(), "greenhouse");
  t.after(() => rm(own, { recursive: true, force: true }));
  const real = { device: join(own, "board"), components: join(own, "build") };
  await cp(dirname(firmware), real.components, { recursive: true });
  const device = `${real.device},components=${real.components},label=Greenhouse`;
  const bridge = await Bridge.start(t, ["--simulate", "1", "--device", device, ...usb], { port: 3569 });
  await plugIn(t, real.device);
  const tab = await openTab(t, bridge);
  const { page } = tab;
  await page.goto(await bridge.link());
  await page.getByText("3 boards, 2 ready").waitFor();
  const simulated = (await bridge.boards()).find((board) => board.rung === "simulated");
  await bridge.cli("label", simulated.id, "Watering");
  const graph = join(bridge.dir, "watering.fbp");
  await writeFile(graph, WATERING);
  await bridge.cli("graph", "upload", "Watering", graph);
  await page.locator("g.value.shown").nth(4).waitFor();
  await page.evaluate("document.activeElement.blur()");
  await pause(TRAFFIC_MS);

  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await pause(300);
    await page.screenshot({ path: join(DIR, `dashboard-${colorScheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(PHONE);
  await pause(1500);
  await page.screenshot({ path: join(DIR, "dashboard-phone.png"), fullPage: true });

  await page.setViewportSize({ width: 1000, height: 700 });
  const guest = await tab.context.newPage();
  await guest.goto(bridge.base);
  await guest.locator("article").nth(2).waitFor();
  await guest.screenshot({ path: join(DIR, "guest.png") });
  const empty = await Bridge.start(t, []);
  await guest.goto(await empty.link());
  await guest.getByRole("heading", { name: "No board yet" }).waitFor();
  await guest.screenshot({ path: join(DIR, "empty.png") });
});

/** What is registered in the pictures of the registry's page: of two laboratories, the last one was switched off. */
const RUNTIMES = [
  ["Greenhouse", "MicroFlo board on USB: Arduino Uno", "lab-1.example:3569"],
  ["Watering", "MicroFlo board on USB: Arduino Mega 2560", "lab-1.example:3569"],
  ["Door lock", "MicroFlo board on a serial line", "lab-2.example:3569"],
  ["Weather station", "MicroFlo board on USB: Teensy 3.2", "lab-2.example:3569"],
];

test("pictures of the registry's page", { skip: !DIR && "SHOTS is not set" }, async (t) => {
  const registry = await Registry.start(t, ["--offline-after", "5"]);
  const user = await registry.localUser();
  for (const [n, [label, description, host]] of RUNTIMES.entries()) {
    const id = `${n}7de8c2a-3f0b-4c65-9d1e-5b6a0c4f8e1${n}`;
    const record = { id, user: user.id, label, description, secret: "secret", protocol: "websocket", type: "microflo",
      address: `wss://${host}/${id}` };
    await registry.call("PUT", `runtimes/${id}`, record);
    // All but the last are alive.
    const alive = setInterval(() => registry.call("POST", `runtimes/${id}`).catch(() => {}), 1000);
    t.after(() => clearInterval(alive));
    if (n === RUNTIMES.length - 1) clearInterval(alive);
  }
  const { page } = await openTab(t, registry, { viewport: { width: 1000, height: 620 } });
  await page.goto(`${registry.base}#token=${user.token}`);
  await page.getByText("Live: 4 registered, 3 online.").waitFor();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(DIR, `registry-${colorScheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(PHONE);
  await page.screenshot({ path: join(DIR, "registry-phone.png"), fullPage: true });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.screenshot({ path: join(DIR, "registry-token.png"), fullPage: true });
});
