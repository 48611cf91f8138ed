/** Which of several calls comes nearest to one that none of them matches. */

import { expect, test } from "vitest";

import { type CallPattern, makeBody, makeMatcher } from "../../plugin/scenario/call.ts";
import { nearestOf, pathDistance } from "../../plugin/scenario/nearest-call.ts";
import { parseCall } from "../../plugin/scenario/parse-call.ts";

function nearest(calls: readonly (string | CallPattern)[], asked: string, text = ""): string | undefined {
  const [method = "", target = ""] = asked.split(" ");
  const head = { method, url: new URL(target, "http://users.internal"), headers: new Headers() };
  const matchers = calls.map((call) => makeMatcher(parseCall(call)));
  return nearestOf(
    matchers.map((matcher) => {
      const ofHead = matcher.compareHead(head);
      return { text: matcher.text, differences: ofHead.length > 0 ? ofHead : matcher.compareBody(makeBody(text)) };
    }),
  );
}

const DOCUMENTED = [
  "GET /users/:id",
  "/avatars/*",
  { method: "POST", path: "/users", json: { name: "Ada" } },
  { headers: { authorization: { regexp: "^Bearer ", flags: "" } } },
  "/slow",
];
const MANY = { path: "/h", headers: { a: "1", b: "2", c: "3" } };

test.each<[calls: (string | CallPattern)[], asked: string, expected: string]>([
  [["GET /users/:id/:n", MANY], "GET /h", '/h with its headers: the header "a" is missing, not "1"'],
  [["/h", MANY], "GET /hh", "/h: the path is /hh, not /h"],
  // The path counts more than the method, and the method more than the rest.
  [["GET /users", "POST /orders"], "GET /orders", "POST /orders: the method is GET, not POST"],
  [["POST /h", { ...MANY, method: "GET" }], "GET /h", "GET /h with its headers"],
  // Of other paths, the more similar one.
  [["/avatars/*", "/users/:id"], "GET /users", "/users/:id: the path is /users, not /users/:id"],
  [["/avatars/*", "/users/:id"], "GET /user/7", "/users/:id"],
  [["/b/:id/posts", "/a/:id/tags"], "GET /a/7/posts", "/a/:id/tags"],
  [["/a", "/files/*/x/*"], "GET /files/1/y/2/3", "/files/*/x/*"],
  [["/", "/v1/users/:id"], "PUT /v1/users", "/v1/users/:id"],
])("of %j, for %s", (calls, asked, expected) => {
  expect(nearest(calls, asked)).toMatch(expected);
});

test("of the list in docs/stand-ins.md", () => {
  expect(nearest(DOCUMENTED, "POST /users", '{"name":"Bob"}')).toBe(
    'POST /users with its json: the JSON body\'s name is "Bob", not "Ada"',
  );
  expect(nearest(DOCUMENTED, "PUT /users/7")).toBe("GET /users/:id: the method is PUT, not GET");
  expect(nearest(DOCUMENTED, "GET /sloww")).toBe("/slow: the path is /sloww, not /slow");
  expect(nearest(DOCUMENTED, "GET /a/b/c")).toBe(
    'every call with its headers: the header "authorization" is missing, not /^Bearer /',
  );
});

test("a path of thousands of segments is compared fast enough", () => {
  expect(pathDistance("/a".repeat(100_000), "/b".repeat(100_000))).toBeGreaterThan(1000);
});
