/** The overview of the traffic page: the picture of the network, what answers, and the charts. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ok } from "../servers/http-origin.ts";
import { type BrowsedSession, startBrowsed } from "./open-browser.ts";

const WAIT = { timeout: 30_000 };
const stack = new AsyncDisposableStack();
let session: BrowsedSession;
let page: Page;

beforeAll(async () => {
  session = stack.use(await startBrowsed(ok("x"), { "down.internal": "127.0.0.1:1" }));
  page = await session.openTab();
  await page.getByRole("button", { name: "Overview" }).click();
});
afterAll(() => stack.disposeAsync());

test("the network is a picture, and a table, with what answers now", async () => {
  const overview = page.getByRole("main", { name: "Overview" });
  await overview.getByRole("img", { name: "The network" }).waitFor();
  await overview.getByText("No answer from 1 of").waitFor();
  const picture = await overview.locator("svg.network").textContent();
  for (const text of ["app", "NET", "down.internal", "127.0.0.1:1", "ECONNREFUSED", "HTTP "])
    expect(picture).toContain(text);
  await overview.getByText("As a table").first().click();
  const down = overview.getByRole("row").filter({ hasText: "down.internal" });
  await expect.poll(() => down.textContent()).toContain("ECONNREFUSED");
});

function heads(): number {
  return session.origin.requests.filter((request) => request.startsWith("HEAD ")).length;
}

test("the targets are dialled again when the user says so", async () => {
  const before = heads();
  await page.getByRole("button", { name: "Probe again" }).click();
  await expect.poll(heads, WAIT).toBeGreaterThan(before);
  await page.getByText("No answer from 1 of").waitFor();
});

test("charts count the calls of each binding and target, as the filters let them through", async () => {
  for (let calls = 0; calls < 5; calls++) await session.make("fetch", { url: "http://a.internal/x" });
  await session.make("fetch", { url: "http://down.internal/" });
  await session.make("fetch", { binding: "API", url: "http://a.internal/x" });
  const all = page.getByRole("region", { name: "All", exact: true });
  const image = (title: string): Promise<string | null> =>
    all.getByRole("img", { name: title }).getAttribute("aria-label");
  await expect
    .poll(() => image("Connections by outcome"), WAIT)
    .toBe("Connections by outcome: succeeded 6, failed 1, refused 0");
  await expect.poll(() => image("Errors by code"), WAIT).toBe("Errors by code: connection_refused 1");
  await expect.poll(() => image("Latency"), WAIT).toMatch(/^Latency: p50 .*s, p90 .*s, p99 .*s$/);
  const down = page.getByRole("region", { name: "NET → 127.0.0.1:1", exact: true });
  await expect
    .poll(() => down.getByRole("img", { name: "Connections" }).getAttribute("aria-label"))
    .toContain("failed 1");
  await page.getByRole("combobox", { name: "Binding" }).selectOption("API");
  await expect
    .poll(() => image("Connections by outcome"), WAIT)
    .toBe("Connections by outcome: succeeded 1, failed 0, refused 0");
  await page.getByRole("combobox", { name: "Binding" }).selectOption("");
});

test("at 600 pixels nothing is wider than the page", async () => {
  await page.setViewportSize({ width: 600, height: 800 });
  const overview = page.getByRole("main", { name: "Overview" });
  await expect
    .poll(() => overview.evaluate((main) => main.scrollWidth - main.clientWidth), WAIT)
    .toBeLessThanOrEqual(0);
  await page.getByRole("button", { name: "Overview" }).click();
  await page.getByRole("grid").waitFor();
});
