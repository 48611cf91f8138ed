/** Acting on calls from the page, as a user does: with buttons. */

import { readFileSync } from "node:fs";

import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { type BrowsedSession, startBrowsed } from "./open-browser.ts";

const WAIT = { timeout: 30_000 };
const stack = new AsyncDisposableStack();
let session: BrowsedSession;
let page: Page;
/** The requests that the target got. */
const asked: string[] = [];

beforeAll(async () => {
  session = stack.use(
    await startBrowsed((request) => {
      asked.push(request);
      const body = '{"name":"Ada"}';
      return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    }),
  );
  page = await session.openTab({ permissions: ["clipboard-read", "clipboard-write"] });
});
afterAll(() => stack.disposeAsync());
beforeEach(async () => {
  session.shown.scenario.reset();
  await page.getByText("only the vpc config").waitFor();
  // The call of the test before is open until the page has heard that it is gone.
  await page.getByRole("gridcell").first().waitFor({ state: "detached" });
  await page.getByRole("region", { name: "Call" }).waitFor({ state: "detached" });
});

async function openCall(argument: object, text: string): Promise<Locator> {
  await session.make("fetch", argument);
  await page.getByRole("row").filter({ hasText: text }).last().click();
  const call = page.getByRole("region", { name: "Call" });
  await call.getByRole("button", { name: "Send again" }).waitFor();
  return call;
}

test("copies a call as curl and as a test, also into the clipboard", async () => {
  const call = await openCall({ url: "http://a.internal/copied", method: "POST", size: 3 }, "/copied");
  await call.getByRole("button", { name: "Copy as curl" }).click();
  await call.getByRole("status").getByText("Copied.").waitFor();
  const command = await page.evaluate<string>("navigator.clipboard.readText()");
  expect(command).toContain(`http://127.0.0.1:${session.origin.port}/copied`);
  expect(command).toContain("--data-raw xxx");
  await expect.poll(() => call.getByRole("status").textContent()).toContain(command);
  await call.getByRole("button", { name: "Copy as test" }).click();
  await call.getByRole("status").getByText("vpc.on").waitFor();
  expect(await page.evaluate<string>("navigator.clipboard.readText()")).toBe(
    'await vpc.on("a.internal", "POST /copied").respond({ json: { name: "Ada" } });',
  );
});

test("saves one call or all as HAR, with what was sent and received", async () => {
  const call = await openCall({ url: "http://a.internal/saved", method: "POST", size: 4 }, "/saved");
  await session.make("fetch", { url: "http://a.internal/other" });
  const one = await saved(() => call.getByRole("button", { name: "Save HAR" }).click());
  expect(one).toMatchObject([
    {
      request: { method: "POST", url: "http://a.internal/saved", postData: { text: "xxxx" } },
      response: { status: 200, content: { text: '{"name":"Ada"}' } },
    },
  ]);
  await page.keyboard.press("Escape");
  const all = await saved(() => page.getByRole("button", { name: "Save HAR" }).click());
  expect(all.map(({ request: { url } }) => url)).toEqual(["http://a.internal/saved", "http://a.internal/other"]);
  const failed = await openCall({ url: "http://none.internal/x" }, "none.internal");
  await failed.getByRole("button", { name: "Save HAR" }).click();
  await failed.getByRole("status").getByText("A HAR file has whole HTTP calls only").waitFor();
});

interface SavedEntry {
  request: { url: string };
}

async function saved(save: () => Promise<void>): Promise<SavedEntry[]> {
  const [download] = await Promise.all([page.waitForEvent("download"), save()]);
  const file = await download.path();
  return (JSON.parse(readFileSync(file, "utf8")) as { log: { entries: SavedEntry[] } }).log.entries;
}

test("what can't be copied says why", async () => {
  const call = await openCall({ url: "http://none.internal/x" }, "none.internal");
  await call.getByRole("button", { name: "Copy as curl" }).click();
  await call.getByRole("status").getByText("refused the call with destination_not_found").waitFor();
  expect(await call.getByRole("status").getByText("Copied").count()).toBe(0);
});

test("sends a call again, as it was and edited; the list marks it", async () => {
  const call = await openCall({ url: "http://a.internal/again" }, "/again");
  const before = asked.length;
  await call.getByRole("button", { name: "Send again" }).click();
  await expect.poll(() => asked.length, WAIT).toBe(before + 1);
  await call.getByText("again, from this page").waitFor();
  await expect.poll(() => page.getByRole("row").filter({ hasText: "sent again from this page" }).count()).toBe(1);
  await call.getByRole("button", { name: "Edit and send" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit and send" });
  await dialog.getByLabel("Method").fill("PATCH");
  await dialog.getByLabel("URL").fill("http://a.internal/edited");
  await dialog.getByLabel("Header fields").fill("x-edited: yes");
  await dialog.getByLabel("Body").fill("new");
  await dialog.getByRole("button", { name: "Send edited" }).click();
  await call.getByRole("heading", { name: "PATCH http://a.internal/edited" }).waitFor();
  // The call is shown when it begins.
  await expect.poll(() => asked.at(-1), WAIT).toMatch(/^PATCH \/edited [^]*x-edited: yes[^]*new$/);
});

test("a mistake in an edit is said in the dialog, and Escape only closes the dialog", async () => {
  const call = await openCall({ url: "http://a.internal/mistake" }, "/mistake");
  await call.getByRole("button", { name: "Edit and send" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Header fields").fill("no field");
  await dialog.getByRole("button", { name: "Send edited" }).click();
  await dialog.getByRole("alert").getByText("is no header field").waitFor();
  await dialog.getByLabel("Header fields").fill("");
  await dialog.getByLabel("URL").fill("ftp://a.internal/");
  await dialog.getByRole("button", { name: "Send edited" }).click();
  await dialog.getByRole("alert").getByText('must begin with "http://"').waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await call.getByRole("button", { name: "Send again" }).waitFor();
});

test("an answer becomes a stand-in, a route is denied; both are at the top, and undone there", async () => {
  const call = await openCall({ url: "http://a.internal/stand-in" }, "/stand-in");
  const bar = page.getByRole("region", { name: "In force" });
  await bar.getByText("only the vpc config").waitFor();
  await call.getByRole("button", { name: "Turn into stand-in" }).click();
  await bar.getByText("GET /stand-in").waitFor();
  const before = asked.length;
  expect(await session.shown.call("fetch", { url: "http://a.internal/stand-in" })).toMatchObject({ status: 200 });
  expect(asked.length).toBe(before);
  await bar.getByRole("button", { name: "Undo" }).click();
  await bar.getByText("only the vpc config").waitFor();
  await session.shown.call("fetch", { url: "http://a.internal/stand-in" });
  expect(asked.length).toBe(before + 1);
  await call.getByRole("button", { name: "Deny" }).click();
  await bar.getByText("fails with destination_ip_prohibited").waitFor();
  await expect(session.shown.call("fetch", { url: "http://a.internal/" })).rejects.toThrow("destination_ip_prohibited");
  await bar.getByRole("button", { name: "Undo" }).click();
  await bar.getByText("only the vpc config").waitFor();
});

test("a fault is put on with its knobs, for the call's route or for any other", async () => {
  const call = await openCall({ url: "http://a.internal/faulty" }, "/faulty");
  await call.getByRole("button", { name: "Add fault" }).click();
  const panel = page.getByRole("dialog", { name: "Add a fault" });
  expect(await panel.getByLabel("Binding or destination").inputValue()).toBe("a.internal");
  await panel.getByRole("combobox", { name: "Fault", exact: true }).selectOption("slicer");
  await panel.getByLabel("Average size (bytes)").fill("8");
  await panel.getByLabel("Variation (± bytes)").fill("9");
  await panel.getByRole("button", { name: "Put it in force" }).click();
  await panel.getByRole("alert").getByText("must be smaller than").waitFor();
  await panel.getByRole("combobox", { name: "Fault", exact: true }).selectOption("latency");
  await panel.getByLabel("Latency (ms)").fill("300");
  await panel.getByLabel("Stream").selectOption("upstream");
  await panel.getByLabel("Toxicity (share of calls)").fill("0.75");
  await panel.getByRole("button", { name: "Put it in force" }).click();
  await panel.waitFor({ state: "detached" });
  const bar = page.getByRole("region", { name: "In force" });
  await bar.getByText("latency=300 stream=upstream toxicity=0.75").waitFor();
  expect(session.shown.scenario.rules[0]?.effect).toEqual({
    type: "faults",
    faults: [{ type: "latency", stream: "upstream", toxicity: 0.75, attributes: { latency: 300, jitter: 0 } }],
  });
  // Without an open call, the bar's own button does it.
  await page.keyboard.press("Escape");
  await bar.getByRole("button", { name: "Add fault" }).click();
  await panel.getByLabel("Binding or destination").fill("two words");
  await panel.getByRole("button", { name: "Put it in force" }).click();
  await panel.getByRole("alert").getByText("is not a binding of this session").waitFor();
  await panel.getByRole("button", { name: "Cancel" }).click();
  await panel.waitFor({ state: "detached" });
});

test("rules of tests are shown, and undone too, in each tab", async () => {
  const other = await session.openTab();
  session.shown.scenario.addRule({ who: "NET", call: "/by-a-test", respond: { status: 418 } }, "client");
  for (const each of [page, other]) {
    const bar = each.getByRole("region", { name: "In force" });
    await bar.getByText("answers 418").waitFor();
    await bar.getByText("a test").waitFor();
  }
  await other.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("region", { name: "In force" }).getByText("only the vpc config").waitFor();
  expect(session.shown.scenario.rules).toEqual([]);
  await other.context().close();
});
