/** Commands that the traffic page writes, in a shell and with Debian's curl: the target gets the same request once more. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { type HttpOrigin, startHttpOrigin } from "../servers/http-origin.ts";
import { TUNNEL } from "../setup/test-worker.ts";
import { type Shown, callOnce, sortedRequest, startShown } from "../ui/start-shown.ts";

const WAIT = { timeout: 30_000 };
const stack = new AsyncDisposableStack();
let origin: HttpOrigin;
let shown: Shown;
/** The requests that the target got. */
const asked: string[] = [];

beforeAll(async () => {
  origin = stack.use(
    await startHttpOrigin((request) => {
      asked.push(request);
      return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    }),
  );
  const routes = { "a.internal": `127.0.0.1:${origin.port}` };
  shown = stack.use(await startShown({ networks: { [TUNNEL]: { routes } } }));
  await shown.open();
});
afterAll(() => stack.disposeAsync());
beforeEach(() => {
  asked.length = 0;
});

function run(command: string): Promise<object> {
  return promisify(execFile)("sh", ["-c", command]);
}

test.each([
  ["a GET", { url: "http://a.internal/users/7?x=1&y=it's%20[1]" }],
  ["a POST with a body", { url: "http://a.internal:8080/users", method: "POST", size: 300 }],
  ["a HEAD", { url: "http://a.internal/users", method: "HEAD" }],
  ["another method", { url: "http://a.internal/users/7", method: "DELETE" }],
])("%s asks the target the same", async (_, argument) => {
  const id = await callOnce(shown, "fetch", argument);
  const { json } = await shown.ask("GET", `api/calls/${id}/curl`);
  expect(json.text).toContain(`127.0.0.1:${origin.port}`);
  await run(json.text);
  const [first = "", second = ""] = asked.map((request) => sortedRequest(request));
  expect(second).toBe(first);
});

test.each([
  ["quotes, lines and signs", 'it\'s "$HOME" `id` \\n %s\n!important @file'],
  ["bytes that are no text", "\0\u0001é"],
])("%s in fields and body arrive as they are", async (_, text) => {
  const id = await callOnce(shown, "fetch", { url: "http://a.internal/", method: "PUT", size: 1 });
  const field = 'it\'s "$HOME" `id` \\n %s!';
  const again = await shown.ask("POST", `api/calls/${id}/again`, {
    headers: [["x-odd", field]],
    body: text,
  });
  await expect.poll(() => asked.length, WAIT).toBe(2);
  await expect.poll(() => shown.scenario.journal.entries.at(-1)?.duration, WAIT).toBeDefined();
  const { json } = await shown.ask("GET", `api/calls/${again.json.id}/curl`);
  await run(json.text);
  expect(sortedRequest(asked[2]!)).toBe(sortedRequest(asked[1]!));
  expect(asked[2]).toContain(field);
  expect(asked[2]!.endsWith(`\r\n\r\n${Buffer.from(text).toString("latin1")}`)).toBe(true);
});
