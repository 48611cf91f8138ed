/** A page of another origin tries to read the traffic page, or to act through it. It even knows the address. */

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { type BrowsedSession, startBrowsed } from "./open-browser.ts";

const stack = new AsyncDisposableStack();
let session: BrowsedSession;
let stranger: Page;

beforeAll(async () => {
  session = stack.use(await startBrowsed(ok("secret")));
  await session.openTab();
  await session.shown.call("fetch", { url: "http://a.internal/private" });
  const html = "<!doctype html><title>stranger</title>";
  const elsewhere = stack.use(await startHttpOrigin(ok(html).replace("\r\n", "\r\nContent-Type: text/html\r\n")));
  stranger = await (await session.browser.newContext()).newPage();
  // The same host with another port: one site, but another origin.
  await stranger.goto(`http://127.0.0.1:${elsewhere.port}/`);
});
afterAll(() => stack.disposeAsync());

/** @param source of a promise, with the page's address in `url` */
function attempt(source: string): Promise<unknown> {
  return stranger.evaluate(`(async (url) => { ${source} })(${JSON.stringify(session.shown.url)})`);
}

test.each(["", "app.js", "api/requests", "api/feed"])(
  "fetch() of %j fails, and without CORS tells nothing",
  async (path) => {
    expect(await attempt(`return fetch(url + ${JSON.stringify(path)}).then((r) => r.status, (e) => e.name)`)).toBe(
      "TypeError",
    );
    const opaque = `return fetch(url + ${JSON.stringify(path)}, { mode: "no-cors" }).then((r) => r.type, (e) => e.name)`;
    expect(await attempt(opaque)).toMatch(/^(?:opaque|TypeError)$/);
  },
);

test("a rule, a form and a beacon change nothing", async () => {
  const rule = JSON.stringify({ who: "NET", respond: { status: 500 } });
  await attempt(`
    await fetch(url + "api/rules", { method: "POST", mode: "no-cors", body: ${JSON.stringify(rule)} }).catch(() => {});
    navigator.sendBeacon(url + "api/rules", ${JSON.stringify(rule)});
    await fetch(url + "api/requests", { method: "DELETE" }).catch(() => {});`);
  expect(await session.shown.call("fetch", { url: "http://a.internal/" })).toEqual({ status: 200, text: "secret" });
  expect(session.shown.scenario.rules).toEqual([]);
  expect(session.shown.scenario.journal.entries.length).toBeGreaterThan(1);
});

test.each([
  ["a frame", "iframe", ""],
  ["a script", "script", "app.js"],
  ["a style sheet", "link", "app.css"],
  ["an image", "img", "icon.svg"],
])("%s of it does not load", async (_, element, file) => {
  const outcome = await attempt(`
    const element = document.createElement(${JSON.stringify(element)});
    element.rel = "stylesheet";
    const done = new Promise((resolve) => {
      element.onload = () => resolve("loaded");
      element.onerror = () => resolve("failed");
    });
    element[element.tagName === "LINK" ? "href" : "src"] = url + ${JSON.stringify(file)};
    document.body.append(element);
    const result = await done;
    return element.tagName === "IFRAME" ? String(element.contentDocument) : result;`);
  expect(outcome).toBe(element === "iframe" ? "null" : "failed");
});

test("a window that it opens gives no handle, and an event stream no event", async () => {
  const opened = stranger.context().waitForEvent("page");
  await attempt("window.theirs = window.open(url)");
  await (await opened).waitForLoadState();
  expect(await attempt("return theirs.closed || theirs.length === 0")).toBe(true);
  expect(await attempt("try { return String(theirs.document) } catch (error) { return error.name }")).not.toContain(
    "HTML",
  );
  const heard = `return new Promise((resolve) => {
    const source = new EventSource(url + "api/feed");
    source.onerror = () => resolve("error");
    source.addEventListener("session", () => resolve("session"));
  })`;
  expect(await attempt(heard)).toBe("error");
});

test("a WebSocket, which CORS does not protect, is refused", async () => {
  const heard = `return new Promise((resolve) => {
    const socket = new WebSocket(url.replace("http:", "ws:") + "api/feed");
    socket.onopen = () => resolve("open");
    socket.onmessage = () => resolve("message");
    socket.onerror = () => resolve("error");
  })`;
  expect(await attempt(heard)).toBe("error");
});

test("nothing is loaded from elsewhere, and no cookie is set", async () => {
  const context = await session.browser.newContext();
  const page = await context.newPage();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(session.shown.url);
  await page.getByRole("row").filter({ hasText: "/private" }).click();
  await page.getByRole("region", { name: "Call" }).getByText("secret").waitFor();
  expect(asked.filter((url) => !url.startsWith(session.shown.url) && !url.startsWith("blob:"))).toEqual([]);
  expect(await context.cookies()).toEqual([]);
  await context.close();
});
