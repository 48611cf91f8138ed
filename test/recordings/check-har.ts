/**
 * The rules of HAR 1.2 (softwareishard.com/blog/har-12-spec) that a schema can say, and those about sums that it can't. An
 * oracle: shares no code with what writes the files.
 */

import * as v from "valibot";
import { expect } from "vitest";
import type { Har } from "../../plugin/recordings/har.ts";

const text = v.string();
const date = v.pipe(text, v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/));
const size = v.pipe(v.number(), v.integer(), v.minValue(-1));
const milliseconds = v.pipe(
  v.number(),
  v.check((value) => value === -1 || value >= 0),
);
const field = v.strictObject({ name: text, value: text, comment: v.optional(text) });
const cookie = v.strictObject({
  name: text,
  value: text,
  path: v.optional(text),
  domain: v.optional(text),
  expires: v.optional(date),
  httpOnly: v.optional(v.boolean()),
  secure: v.optional(v.boolean()),
});
const message = {
  httpVersion: text,
  cookies: v.array(cookie),
  headers: v.array(field),
  headersSize: size,
  bodySize: size,
};
const body = {
  mimeType: text,
  text: v.optional(text),
  encoding: v.optional(v.literal("base64")),
  _file: v.optional(text),
};

const entry = v.strictObject({
  startedDateTime: date,
  time: milliseconds,
  request: v.strictObject({
    ...message,
    method: v.pipe(text, v.regex(/^[A-Z]+$/)),
    url: v.pipe(text, v.url(), v.regex(/^[^#]*$/)),
    queryString: v.array(field),
    postData: v.optional(v.strictObject({ ...body, params: v.optional(v.array(field)) })),
  }),
  response: v.strictObject({
    ...message,
    status: v.pipe(v.number(), v.integer(), v.minValue(100)),
    statusText: text,
    content: v.strictObject({ ...body, size, compression: v.optional(v.number()) }),
    redirectURL: text,
  }),
  cache: v.strictObject({}),
  timings: v.strictObject({
    blocked: v.optional(milliseconds),
    dns: v.optional(milliseconds),
    connect: v.optional(milliseconds),
    ssl: v.optional(milliseconds),
    send: milliseconds,
    wait: milliseconds,
    receive: milliseconds,
  }),
  serverIPAddress: v.optional(v.pipe(text, v.ip())),
  connection: v.optional(text),
  comment: v.optional(text),
  _serverPort: v.optional(v.number()),
  _securityDetails: v.optional(
    v.strictObject({
      protocol: text,
      subjectName: v.optional(text),
      issuer: v.optional(text),
      validFrom: v.optional(v.number()),
      validTo: v.optional(v.number()),
    }),
  ),
  _binding: v.pipe(text, v.nonEmpty()),
  _worker: v.pipe(text, v.nonEmpty()),
  _resourceType: v.optional(text),
  _webSocketMessages: v.optional(
    v.array(
      v.strictObject({
        type: v.picklist(["send", "receive"]),
        time: v.number(),
        opcode: v.picklist([1, 2]),
        data: text,
      }),
    ),
  ),
});

const har = v.strictObject({
  log: v.strictObject({
    version: v.literal("1.2"),
    creator: v.strictObject({ name: v.literal("miniflare-vpc"), version: v.pipe(text, v.regex(/^\d+\.\d+\.\d+/)) }),
    pages: v.array(v.never()),
    entries: v.array(entry),
    comment: v.optional(text),
  }),
});

/** Fails if it breaks a rule. @param options `isFull`: sizes and timings are known */
export function checkHar(value: unknown, { isFull = true }: { isFull?: boolean } = {}): Har {
  const { issues = [], output } = v.safeParse(har, value);
  expect(issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`)).toEqual([]);
  for (const each of isFull ? (output as Har).log.entries : []) checkSums(each);
  return value as Har;
}

function checkSums({ time, timings, request, response }: Har["log"]["entries"][number]): void {
  const { blocked = -1, dns = -1, connect = -1, ssl = -1, send, wait, receive } = timings;
  const sum = [blocked, dns, connect, send, wait, receive].reduce((total, part) => total + Math.max(0, part), 0);
  expect(time).toBeCloseTo(sum, 2);
  expect(ssl).toBeLessThanOrEqual(connect);
  const { content, bodySize } = response;
  if (content.text !== undefined) {
    expect(content.size).toBe(Buffer.from(content.text, content.encoding ?? "utf8").length);
    expect(content.size - (content.compression ?? 0)).toBe(bodySize);
  }
  expect([...new URL(request.url).searchParams]).toEqual(request.queryString.map(({ name, value }) => [name, value]));
  expect([request.headersSize, response.headersSize].every((bytes) => bytes > 0)).toBe(true);
}
