/** Many tabs of the traffic page in one browser, which shares six HTTP connections among them. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ok } from "../servers/http-origin.ts";
import { type BrowsedSession, startBrowsed } from "./open-browser.ts";

const TABS = 8;
let session: BrowsedSession;

beforeAll(async () => {
  session = await startBrowsed(ok('{"name":"Ada"}'));
});
afterAll(() => session[Symbol.asyncDispose]());

test("eight tabs are live, and each shows a call and acts on it", async () => {
  const first = await session.openTab();
  const context = first.context();
  const tabs: Page[] = [first];
  while (tabs.length < TABS) {
    const tab = await context.newPage();
    await tab.goto(session.shown.url);
    tabs.push(tab);
  }
  await session.make("fetch", { url: "http://a.internal/in-each-tab" });
  for (const tab of tabs) {
    await tab.getByRole("row").filter({ hasText: "/in-each-tab" }).click();
    await tab.getByRole("region", { name: "Call" }).getByText('"Ada"').first().waitFor();
  }
  const last = tabs.at(-1)!;
  await last.getByRole("region", { name: "Call" }).getByRole("button", { name: "Deny" }).click();
  for (const tab of tabs) await tab.getByText("fails with destination_ip_prohibited").first().waitFor();
  expect(tabs).toHaveLength(TABS);
  await context.close();
  session.throwProblems();
}, 300_000);
