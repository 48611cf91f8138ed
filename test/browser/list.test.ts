/** The list of the traffic page: live rows, filters, pause, clear, the keyboard, ten thousand calls. */

import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type BrowsedSession, startBrowsed } from "./open-browser.ts";

const WAIT = { timeout: 30_000 };
const LONG = { timeout: 120_000 };
let session: BrowsedSession;
let page: Page;

/** Answers with the status that the path ends with. */
function answer(request: string): string {
  const status = /^\w+ \S*\/(\d{3}) /.exec(request)?.[1] ?? "200";
  return `HTTP/1.1 ${status} Status\r\nContent-Length: 5\r\n\r\nhello`;
}

beforeAll(async () => {
  session = await startBrowsed(answer);
});
afterAll(() => session[Symbol.asyncDispose]());
beforeEach(async () => {
  session.shown.scenario.journal.clear();
  page = await session.openTab();
});
afterEach(async () => {
  await page.context().close();
  session.throwProblems();
});

/** Calls that can be told apart by their status, code, binding and kind. */
async function makeCalls(): Promise<void> {
  await session.make("fetch", { binding: "API", url: "http://users.internal/users/200", method: "POST", size: 9 });
  await session.make("fetch", { url: "http://a.internal/404" });
  await session.make("fetch", { url: "http://a.internal/503" });
  await session.make("connect", { address: "db.internal:5432", text: "SELECT 1" });
  await session.make("fetch", { url: "http://vault.internal/" });
}

/** Those of calls. */
function rows(of: Page = page): Locator {
  return of.getByRole("row").filter({ has: of.getByRole("gridcell") });
}

/** The text of each row at one moment, without its times, with single spaces between its cells. */
function texts(of: Page = page): Promise<string[]> {
  return rows(of).evaluateAll((all) =>
    all.map((row) => {
      const cells = Array.from(row.querySelectorAll("[role=gridcell]"), ({ textContent }) => textContent ?? "");
      return cells.slice(1, -1).join(" ").replaceAll(/ +/g, " ").trim();
    }),
  );
}

/** Of calls that are over. */
async function waitForRows(count: number, of: Page = page): Promise<void> {
  const state = (): Promise<object> =>
    rows(of).evaluateAll((all) => ({
      rows: all.length,
      open: all.filter((row) => row.querySelector(".duration .open") !== null).length,
    }));
  await expect.poll(state, WAIT).toEqual({ rows: count, open: 0 });
}

test("before the first call it says what will be there", async () => {
  await page.getByRole("heading", { name: "Waiting for the first call" }).waitFor();
  await page.getByText("VPC Service of app").waitFor();
});

test("each call is a row, as soon as it is made, and tells all of it as text", async () => {
  await makeCalls();
  await waitForRows(5);
  const { origin, database } = session;
  expect(await texts()).toEqual([
    `API app POST http://users.internal/users/200 → http://127.0.0.1:${origin.port} 200 9 5`,
    `NET app GET http://a.internal/404 a.internal → 127.0.0.1:${origin.port} 404 0 5`,
    `NET app GET http://a.internal/503 a.internal → 127.0.0.1:${origin.port} 503 0 5`,
    `NET app connect db.internal:5432 db.internal:5432 → 127.0.0.1:${database.port} closed 8 8`,
    "NET app GET http://vault.internal/ ⊘refuseddestination_not_found 0 0",
  ]);
  // Also for whoever reads the row as one text.
  expect(await rows().first().textContent()).toMatch(/ API app POST http:\/\/users\.internal\/users\/200 .* 200 9 5 /);
  await expect.poll(() => rows().last().getAttribute("class")).toContain("refused");
});

test.each<[label: string, value: string, expected: number[]]>([
  ["Binding", "API", [0]],
  ["Kind", "tcp", [3]],
  ["Kind", "http", [0, 1, 2, 4]],
  ["Status", "4xx", [1]],
  ["Status", "5xx", [2]],
  ["Status", "503", [2]],
  ["Code", "any", [4]],
  ["Code", "destination_not_found", [4]],
])("the filter %s: %s, which a reload and a bookmark keep", async (label, value, expected) => {
  await makeCalls();
  await waitForRows(5);
  const all = await texts();
  await page.getByLabel(label).selectOption(value);
  await expect.poll(() => texts(), WAIT).toEqual(expected.map((index) => all[index]));
  await expect.poll(() => page.url(), WAIT).toContain(`#${label.toLowerCase()}=${value}`);
  await page.reload();
  await waitForRows(expected.length);
  await page.getByLabel(label).selectOption("all");
  await waitForRows(5);
});

test("the text filter wants all words, anywhere in the row", async () => {
  await makeCalls();
  await waitForRows(5);
  await page.keyboard.press("/");
  await page.keyboard.type("post USERS");
  await expect.poll(() => texts(), WAIT).toEqual([expect.stringContaining("/users/200")]);
  await page.keyboard.type(" nothing");
  await waitForRows(0);
  await page.getByRole("button", { name: "Show all calls" }).click();
  await waitForRows(5);
});

test("a pause stops the list, not the capturing", async () => {
  await makeCalls();
  await waitForRows(5);
  const pause = page.getByRole("button", { name: "Pause" });
  await pause.click();
  await expect.poll(() => pause.getAttribute("aria-pressed")).toBe("true");
  await makeCalls();
  await page.getByText("Paused, 5 new calls").waitFor();
  expect(await rows().count()).toBe(5);
  await page.getByRole("button", { name: "Resume" }).click();
  await waitForRows(10);
  await pause.click();
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByRole("heading", { name: "The list is paused" }).waitFor();
});

test("clear empties the list, in every tab, and a tab opened later shows what came since", async () => {
  await makeCalls();
  const other = await session.openTab();
  await waitForRows(5);
  await waitForRows(5, other);
  await page.getByRole("button", { name: "Clear" }).click();
  await waitForRows(0);
  await waitForRows(0, other);
  await session.make("fetch", { url: "http://a.internal/404" });
  await waitForRows(1);
  await other.reload();
  await waitForRows(1, other);
  await other.context().close();
});

test("it goes on after a reload of the Worker", async () => {
  await makeCalls();
  await waitForRows(5);
  await session.shown.reload();
  await session.make("fetch", { url: "http://a.internal/after" });
  await waitForRows(6);
});

test("the keyboard moves, opens, closes and searches", async () => {
  await makeCalls();
  await waitForRows(5);
  const selected = (): Promise<string[]> => page.locator("[role=row][aria-selected=true] .address").allTextContents();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await expect.poll(selected, WAIT).toEqual(["http://a.internal/404"]);
  await page.keyboard.press("k");
  await expect.poll(selected, WAIT).toEqual(["http://users.internal/users/200"]);
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowUp");
  await expect.poll(selected, WAIT).toEqual(["db.internal:5432"]);
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Call" }).waitFor();
  await page.keyboard.press("j");
  await page.getByRole("region", { name: "Call" }).getByText("no route of network").first().waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("region", { name: "Call" }).waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.keyboard.type("jk");
  await expect.poll(() => page.getByLabel("Text").inputValue(), WAIT).toBe("jk");
  await waitForRows(0);
  // As in every search field, Escape empties it; then the keys are the list's again.
  await page.keyboard.press("Escape");
  await waitForRows(5);
  await page.keyboard.press("Home");
  await expect.poll(selected, WAIT).toEqual(["http://users.internal/users/200"]);
});

test("Enter without a choice opens the newest call; in the overview the keys scroll, and Escape leaves it", async () => {
  await makeCalls();
  await waitForRows(5);
  const call = page.getByRole("region", { name: "Call" });
  await page.getByRole("grid").focus();
  await page.keyboard.press("Enter");
  await call.getByRole("heading", { name: "GET http://vault.internal/" }).waitFor();
  await page.keyboard.press("Escape");
  await call.waitFor({ state: "detached" });
  await page.setViewportSize({ width: 1280, height: 400 });
  await page.getByRole("button", { name: "Overview" }).click();
  const overview = page.getByRole("main", { name: "Overview" });
  await overview.waitFor();
  await page.keyboard.press("End");
  await expect.poll(() => overview.evaluate((main) => main.scrollTop), WAIT).toBeGreaterThan(0);
  await page.keyboard.press("Escape");
  await page.getByRole("grid").waitFor();
  await waitForRows(5);
});

describe("ten thousand calls", () => {
  test("are all there, and only those in view are drawn", async () => {
    const { shown } = session;
    shown.scenario.addRule({ who: "NET", call: "/many/*", respond: { text: "ok" } });
    await watchFrames(page);
    for (let from = 0; from < 10_000; from += 1000) await shown.call("many", { from, count: 1000 });
    await page.getByText("10,000 calls").waitFor(LONG);
    expect(await rows().count()).toBeLessThan(100);
    // The end of the list is in view without anybody's help.
    await page.locator('[aria-rowindex="10001"]').waitFor();
    await page.getByRole("grid").focus();
    await page.keyboard.press("Home");
    await page.locator('[aria-rowindex="2"]').waitFor();
    await page.getByLabel("Text").fill("many/4321");
    await waitForRows(1);
    await page.getByLabel("Text").fill("");
    await page.getByText("10,000 calls").waitFor(LONG);
    // One more, and the oldest is gone.
    await shown.call("many", { from: 10_000, count: 1 });
    await page.getByLabel("Text").fill("many/10000");
    await waitForRows(1);
    expect(await layoutShift(page)).toBeLessThan(0.02);
    expect(await longestFrame(page)).toBeLessThan(10_000);
  }, 600_000);
});

/** Measures from now on how long the page does not draw, and how far things move by themselves. */
async function watchFrames(of: Page): Promise<void> {
  await of.evaluate(`(() => {
    window.measured = { longest: 0, shift: 0 };
    let last = performance.now();
    const frame = (now) => {
      measured.longest = Math.max(measured.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) measured.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  })()`);
}

/** Milliseconds. */
function longestFrame(of: Page): Promise<number> {
  return of.evaluate("measured.longest");
}

/** Cumulative layout shift: https://web.dev/articles/cls */
function layoutShift(of: Page): Promise<number> {
  return of.evaluate("measured.shift");
}
