/** axe looks at the traffic page: WCAG AA, light and dark, wide and narrow, in each of its states. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ok } from "../servers/http-origin.ts";
import { type BrowsedSession, startBrowsed } from "./open-browser.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let session: BrowsedSession;

beforeAll(async () => {
  session = await startBrowsed(
    ok('{"name":"Ada","roles":["admin"]}').replace("\r\n", "\r\nContent-Type: application/json\r\n"),
  );
});
afterAll(() => session[Symbol.asyncDispose]());

const STATES: Record<string, (page: Page) => Promise<void>> = {
  empty: async (page) => {
    session.shown.scenario.journal.clear();
    await page.getByText("Waiting for the first call").waitFor();
  },
  list: async (page) => {
    await session.make("fetch", { url: "http://a.internal/one", method: "POST", size: 3 });
    await session.make("fetch", { url: "http://b.internal/" });
    await session.make("connect", { address: "db.internal:5432", text: "ping" });
    await page.getByRole("row").filter({ hasText: "closed" }).first().waitFor();
  },
  call: async (page) => {
    await page.getByRole("row").filter({ hasText: "/one" }).first().click();
    await page.getByRole("region", { name: "Call" }).getByText('"Ada"').waitFor();
  },
  acted: async (page) => {
    const call = page.getByRole("region", { name: "Call" });
    await call.getByRole("button", { name: "Turn into stand-in" }).click();
    await call.getByRole("status").getByText("From now on").waitFor();
    await call.getByRole("button", { name: "Copy as test" }).click();
    await page.getByRole("button", { name: "Undo" }).first().waitFor();
    await call.getByRole("status").getByText("vpc.on").waitFor();
  },
  "fault panel": async (page) => {
    await page.getByRole("region", { name: "Call" }).getByRole("button", { name: "Add fault" }).click();
    await page.getByRole("dialog", { name: "Add a fault" }).waitFor();
  },
  "edit and send": async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Edit and send" }).click();
    await page.getByRole("dialog", { name: "Edit and send" }).waitFor();
  },
  overview: async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    session.shown.scenario.removeRules(() => true);
    await page.getByText("only the vpc config").waitFor();
    await page.getByRole("button", { name: "Overview" }).click();
    await page.getByText(/Every target answers|No answer from/).waitFor();
    // The targets are dialled anew each time that the network changes, and the page is drawn again.
    await page.getByRole("region", { name: "All", exact: true }).waitFor();
    for (const table of await page.getByText(/^As a table/).all()) await table.click();
  },
  "back to the list": async (page) => {
    await page.getByRole("button", { name: "Overview" }).click();
    await page.getByRole("grid", { includeHidden: true }).waitFor({ state: "attached" });
    await page.getByRole("region", { name: "Call" }).getByText('"Ada"').waitFor();
  },
  refused: async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("region", { name: "Call" }).waitFor({ state: "detached" });
    await page.getByRole("row").filter({ hasText: "b.internal" }).first().click();
    await page.getByRole("region", { name: "Call" }).getByText("no route of network").first().waitFor();
  },
  connection: async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("region", { name: "Call" }).waitFor({ state: "detached" });
    await page.getByRole("row").filter({ hasText: "db.internal" }).first().click();
    await page.getByRole("region", { name: "Call" }).getByText("ping").first().waitFor();
  },
  paused: async (page) => {
    await page.keyboard.press("Escape");
    await page.getByRole("region", { name: "Call" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByLabel("Text").fill("matches nothing");
    await page.getByText("No call matches the filters").waitFor();
  },
};

test.each([
  ["light", 1280],
  ["dark", 1280],
  ["light", 600],
  ["dark", 600],
] as const)(
  "%s, %i pixels wide",
  async (colorScheme, width) => {
    const page = await session.openTab({ colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
    for (const [state, reach] of Object.entries(STATES)) {
      await reach(page);
      expect([state, await violationsIn(page)]).toEqual([state, []]);
      // Nothing sticks out to the side.
      expect([state, await page.evaluate("document.documentElement.scrollWidth <= innerWidth")]).toEqual([state, true]);
    }
    await page.context().close();
    session.throwProblems();
  },
  300_000,
);

interface Violation {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

/** A text for each. */
async function violationsIn(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate<Violation[]>(
    "axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations)",
  );
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`));
}
