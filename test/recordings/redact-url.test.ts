/** A URL without its secrets stays one: it parses, keeps its structure, and replays. */

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REDACTED } from "../../plugin/recordings/har.ts";
import { createRedactor } from "../../plugin/recordings/redact.ts";
import { Recording } from "../../plugin/recordings/recording.ts";
import { writeHar } from "./make-har.ts";

const ORIGIN = "http://users.internal";
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(path.join(os.tmpdir(), "vpc-redact-url-"))));
afterAll(() => rm(folder, { recursive: true }));

function redact(url: string, secret: string, names: string[] = ["secret"]): string {
  const redactor = createRedactor(names);
  redactor.learn({ headers: [], body: JSON.stringify({ secret }) });
  return redactor.url(url);
}

test.each([
  ["a path", "/sessions/abcdefgh12345678", "/sessions/abcdefgh12345678", `/sessions/${REDACTED}`],
  ["a path of common words", "/users/list", "/users/list", `/${REDACTED}/${REDACTED}`],
  ["a query with its question mark", "?token=abc-12345", "/echo?token=abc-12345", `/echo?token=${REDACTED}`],
  ["several parameters", "a=x-1&b=x-2345", "/echo?a=x-1&b=x-2345&c=3", `/echo?a=${REDACTED}&b=${REDACTED}&c=3`],
  ["path and query", "a-1/b?c=d-45678", "/a-1/b?c=d-45678", `/${REDACTED}/b?c=${REDACTED}`],
  ["a whole URL", `${ORIGIN}/s-1/t-2?u=v-3`, "/s-1/t-2?u=v-3", `/${REDACTED}/${REDACTED}?u=${REDACTED}`],
  ["a host", "users.internal", "/x", "/x"],
  ["a part of a segment", "abc-12345", "/a(abc-12345)b/c", `/a(${REDACTED})b/c`],
  ["two that overlap", "abc-12345", "/abc-12345abc-12345", `/${REDACTED}`],
  ["one that a URL encodes in its own way", "a:b@c d|e^ä1", "/a:b@c%20d|e%5E%C3%A41/x", `/${REDACTED}/x`],
  ["a value as a form encodes it", "a b+c&d=e1", "/x?y=a+b%2Bc%26d%3De1", `/x?y=${REDACTED}`],
  ["a parameter without a value", "abc-12345", "/x?abc-12345", `/x?${REDACTED}`],
  [
    "a named field of JSON in a value",
    "x",
    "/x?y=%7B%22secret%22%3A%22z%22%7D",
    `/x?y=%7B%22secret%22%3A%22${REDACTED}%22%7D`,
  ],
  ["a named parameter of a segment", "x", "/a;secret=1;b=2/c", `/a%3Bsecret%3D${REDACTED}/c`],
])("%s", (_, secret, url, expected) => {
  expect(redact(ORIGIN + url, secret)).toBe(ORIGIN + expected);
});

test("a relative URL, a fragment, and a password", () => {
  expect(redact("/sessions/abc-12345#secret=1", "/sessions/abc-12345")).toBe(
    `/sessions/${REDACTED}#secret%3D${REDACTED}`,
  );
  expect(redact("//u:p@users.internal/x", "none")).toBe("//u:p@users.internal/x");
  expect(redact("https://u:p@users.internal/x", "none")).toBe(`https://${REDACTED}@users.internal/x`);
  const redactor = createRedactor([]);
  redactor.learn({ headers: [["authorization", "/sessions/abc-12345"]] });
  expect(redactor.headerValue("Location", "/sessions/abc-12345")).toBe(`/sessions/${REDACTED}`);
});

const ALPHABET = "abcXYZ019-._~%/?&=+ :@ä;,'[]{}|^".split("");
const word = fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 0, maxLength: 12 });
const component = fc.oneof(word.map(encodeURIComponent), fc.constantFrom("users", "1", "token", ""));
const urls = fc
  .record({
    segments: fc.array(component, { minLength: 1, maxLength: 4 }),
    pairs: fc.array(fc.tuple(fc.constantFrom("a", "token", "q", "n%61me"), component), { maxLength: 3 }),
  })
  .map(({ segments, pairs }) => {
    const query = pairs.map(([name, value]) => `${name}=${value}`).join("&");
    return new URL(`${ORIGIN}/${segments.join("/")}${query === "" ? "" : `?${query}`}`);
  });
/** A secret that is anywhere in the path and the query, as it is written or decoded. */
const cases = urls.chain((url) =>
  fc
    .tuple(fc.constantFrom(url.pathname + url.search, decoded(url)), fc.nat(40), fc.integer({ min: 8, max: 40 }))
    .map(([text, start, length]) => ({ url, secret: text.slice(start % text.length).slice(0, length) })),
);

function decoded(url: URL): string {
  try {
    return decodeURIComponent(url.pathname + url.search);
  } catch {
    return url.pathname;
  }
}

test("every URL parses, keeps origin, segments and names, has no secret left, and replays to the same call", async () => {
  await fc.assert(
    fc.asyncProperty(cases, fc.constantFrom([], ["token"], ["q", "path"]), async ({ url, secret }, names) => {
      const written = redact(url.href, secret, ["secret", ...names]);
      const parsed = new URL(written);
      expect(parsed.origin).toBe(url.origin);
      expect(parsed.pathname.split("/")).toHaveLength(url.pathname.split("/").length);
      expect([...parsed.searchParams.keys()]).toEqual([...url.searchParams.keys()]);
      const isSecret = secret.trim().length >= 8 && !/^(?:[a-z]{1,15}|\d{1,11})$/i.test(secret.trim());
      const structure = url.pathname.replaceAll(/[^/]/g, "") + url.search.replaceAll(/=[^&]*/g, "=");
      const isNameOnly = [structure, structure.replaceAll("%61", "a")].some((each) => each.includes(secret.trim()));
      expect(isSecret && !isNameOnly && (parsed.pathname + parsed.search).includes(secret.trim())).toBe(false);
      const file = await writeHar(folder, [{ url: written }, { url: "/another-path-of-its-own/x" }]);
      const recording = new Recording({ file, targetOrigins: [], headers: [], ignore: new Set() });
      const request = { method: "GET", url, headers: [], body: Buffer.alloc(0), isUpgrade: false };
      expect([written, await recording.hasAnswer(request)]).toEqual([written, true]);
    }),
    { numRuns: 300, seed: 11 },
  );
}, 120_000);
