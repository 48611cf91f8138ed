/** What is replaced in texts, and what isn't. */

import { expect, test } from "vitest";
import { REDACTED } from "../../plugin/recordings/har.ts";
import { createRedactor } from "../../plugin/recordings/redact.ts";

const redactor = createRedactor(["token", "pass word"]);

test.each([
  ["a query", "http://a.internal/x?token=abc&other=1", `http://a.internal/x?token=${REDACTED}&other=1`],
  ["a name in another case", "/x?ToKeN=abc", `/x?ToKeN=${REDACTED}`],
  ["an encoded name", "/x?%74oken=abc&pass+word=1", `/x?%74oken=${REDACTED}&pass+word=${REDACTED}`],
  ["a form", "a=1&token=abc%26d&b=2", `a=1&token=${REDACTED}&b=2`],
  ["a value with separators of cookies", "token=a;b,c#d", `token=${REDACTED}`],
  ["user and password of a URL", "see postgres://ada:secret@db/x", `see postgres://${REDACTED}@db/x`],
  ["a field of JSON", '{"token":"abc","other":"abc"}', `{"token":"${REDACTED}","other":"abc"}`],
  ["JSON with spaces", '{\n  "token" : "a\\"b" ,\n  "x": 1\n}', `{\n  "token" : "${REDACTED}" ,\n  "x": 1\n}`],
  ["a number, true and null", '[{"token":12},{"token":true},{"token":null}]', mark(3)],
  ["an object", '{"token":{"a":"}","b":[1,{"c":2}]},"x":1}', `{"token":"${REDACTED}","x":1}`],
  ["an array", '{"token":["a]","b"],"x":1}', `{"token":"${REDACTED}","x":1}`],
  ["an escaped name", '{"\\u0074oken":"abc"}', `{"\\u0074oken":"${REDACTED}"}`],
  ["an event", 'data: {"token":"abc"}\n\n', `data: {"token":"${REDACTED}"}\n\n`],
  ["lines of JSON", '{"token":"a"}\n{"token":"b"}', `{"token":"${REDACTED}"}\n{"token":"${REDACTED}"}`],
  [
    "JSON in a string",
    '{"inner":"{\\"token\\":\\"a\\\\\\"b\\",\\"x\\":1}"}',
    `{"inner":"{\\"token\\":\\"${REDACTED}\\",\\"x\\":1}"}`,
  ],
  ["JSON in JSON in a string", JSON.stringify(JSON.stringify(JSON.stringify({ token: "abc" }))), nested()],
  ["JSON that is cut off", '{"token":"ab', `{"token":"${REDACTED}"`],
  ["JSON after an odd quote", 'he said "hi: {"token":"abc"}', `he said "hi: {"token":"${REDACTED}"}`],
  ["a URL in JSON", '{"next":"/x?token=abc"}', `{"next":"/x?token=${REDACTED}"}`],
  ["a link in HTML", "<a href='/x?token=abc'>", `<a href='/x?token=${REDACTED}'>`],
  [
    "a field of a multipart form",
    'b\r\nContent-Disposition: form-data; name="token"\r\n\r\nabc\r\n--b--',
    `b\r\nContent-Disposition: form-data; name="token"\r\n\r\n${REDACTED}\r\n--b--`,
  ],
])("%s", (_, given, expected) => {
  expect(redactor.text(given)).toBe(expected);
});

function mark(count: number): string {
  return `[${Array.from({ length: count }, () => `{"token":"${REDACTED}"}`).join(",")}]`;
}

function nested(): string {
  return JSON.stringify(JSON.stringify(JSON.stringify({ token: REDACTED })));
}

test.each([
  "nothing",
  '{"tokens":"abc","mytoken":"abc","to":"token"}',
  "/token?x=1&mytoken=2",
  '{"big":12345678901234567890.10,  "spaces" :[1 ,2]}',
  "a token: abc",
  '{"token"}',
])("%s stays", (text) => {
  expect(redactor.text(text)).toBe(text);
});

test("a header field is replaced as a whole, in any case, also one of the names", () => {
  for (const fieldName of ["Authorization", "proxy-authorization", "COOKIE", "Set-Cookie", "X-Api-Key", "Token"])
    expect(redactor.headerValue(fieldName, "abc")).toBe(REDACTED);
  expect(redactor.headerValue("location", "/x?token=abc")).toBe(`/x?token=${REDACTED}`);
  expect(redactor.headerValue("etag", '"abc"')).toBe('"abc"');
});

const SECRET = 's3cr3t "ä/+ value';

test.each([
  ["plain", SECRET],
  ["percent-encoded", encodeURIComponent(SECRET)],
  ["in a form", new URLSearchParams([["x", SECRET]]).toString().slice(2)],
  ["in JSON", JSON.stringify(SECRET).slice(1, -1)],
  ["in ASCII JSON", 's3cr3t \\"\\u00e4/+ value'],
  ["in JSON with escaped slashes", 's3cr3t \\"ä\\/+ value'],
  ["in JSON in JSON", JSON.stringify(JSON.stringify(SECRET)).slice(3, -3)],
])("a secret that was learned is found elsewhere: %s", (_, spelled) => {
  const learned = createRedactor([]);
  learned.learn({ headers: [["authorization", `Bearer ${SECRET}`]] });
  expect(learned.text(`before ${spelled} after`)).toBe(`before ${REDACTED} after`);
});

test.each([0, 1, 2])("a secret in base64, %i bytes after a group began", (offset) => {
  const learned = createRedactor([]);
  learned.learn({ headers: [["cookie", "id=0123456789-abcdef"]] });
  const text = Buffer.from(`${"x".repeat(offset)}0123456789-abcdef--`).toString("base64");
  const replaced = learned.text(text);
  expect(Buffer.from(replaced, "base64").toString()).not.toContain("3456789");
  expect(replaced).toContain(REDACTED);
});

test("the password of Basic, cookies one by one, and the values of named fields are learned", () => {
  const learned = createRedactor(["token"]);
  learned.learn({
    url: "http://a/?token=from-the-url1",
    headers: [
      ["Authorization", `Basic ${Buffer.from("ada:pass-word-1").toString("base64")}`],
      ["Set-Cookie", "id=from-set-cookie1; Path=/"],
    ],
    body: '{"token":{"deep":["from-the-body1"]}}',
  });
  const text = "from-the-url1 pass-word-1 from-set-cookie1 from-the-body1 Path=/";
  expect(learned.known(text)).toBe(`${REDACTED} ${REDACTED} ${REDACTED} ${REDACTED} Path=/`);
});

test("a short or common value is only replaced beside its name", () => {
  const learned = createRedactor(["role"]);
  learned.learn({ headers: [], body: '{"role":"member"}' });
  expect(learned.text('{"role":"member","path":"/members"}')).toBe(`{"role":"${REDACTED}","path":"/members"}`);
});

test("bytes that are no text", () => {
  const learned = createRedactor([]);
  learned.learn({ headers: [["x-api-key", "key-0123456789"]] });
  const bytes = Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from("key-0123456789"), Buffer.from([200])]);
  expect(learned.bytes(bytes).toString("latin1")).toBe(`\0\u00ff\u0080${REDACTED}\u00c8`);
});

test("large texts take seconds at most", () => {
  const learned = createRedactor(["token"]);
  for (let made = 0; made < 2000; made++)
    learned.learn({ headers: [["set-cookie", `id=session-${made}-${made * 7}`]] });
  const text = JSON.stringify({
    token: "abc",
    items: Array.from({ length: 40_000 }, (_, id) => ({ id, "a\\b": `"${id}"` })),
  });
  expect(learned.text(text)).toContain(REDACTED);
  expect(learned.text(`"${"\\".repeat(200_000)}`)).toHaveLength(200_001);
}, 60_000);
