/** The journal's limits: how many entries and how many bytes it keeps. */

import { expect, test } from "vitest";
import { Capture } from "../../plugin/scenario/capture.ts";
import { Journal, type RequestEntry } from "../../plugin/scenario/journal.ts";

const LIMITS = { entries: 10_000, body: 10, bodies: 25 };

function entry(journal: Journal): RequestEntry {
  const made: RequestEntry = {
    type: "request",
    id: journal.nextId(),
    asked: { bindingName: "NET", bindingId: "app/NET", hosts: [], port: 80, isRest: true },
    binding: "NET",
    worker: "app",
    method: "GET",
    url: "http://a.internal/",
    headers: [],
    body: new Capture(),
    responseBody: new Capture(),
    startedAt: 0,
  };
  journal.add(made);
  return made;
}

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(120);

test("the oldest entries go first, and the dropped ones are counted", () => {
  const journal = new Journal(LIMITS);
  for (let made = 0; made < 10_100; made++) entry(journal);
  expect(journal.entries).toHaveLength(10_000);
  expect(journal.entries[0]?.id).toBe(101);
  expect(journal.dropped).toBe(100);
});

test("of a longer body the beginning is kept, with its full size", () => {
  const journal = new Journal(LIMITS);
  const { body } = entry(journal);
  journal.capture(body, bytes(8));
  journal.capture(body, bytes(8));
  expect([body.size, body.bytes.length, body.isTruncated]).toEqual([16, 10, true]);
});

test("of all bodies together, those of the oldest entries go first; what follows of them is only counted", () => {
  const journal = new Journal(LIMITS);
  const captures = [1, 2, 3].map(() => entry(journal).body);
  for (const capture of captures) journal.capture(capture, bytes(10));
  expect(captures.map((capture) => [capture.size, capture.kept, capture.isTruncated])).toEqual([
    [10, 0, true],
    [10, 10, false],
    [10, 10, false],
  ]);
  journal.capture(captures[0]!, bytes(5));
  expect([captures[0]?.size, captures[0]?.kept]).toEqual([15, 0]);
});

test("a kept chunk doesn't change with its sender's buffer", () => {
  const journal = new Journal(LIMITS);
  const { body } = entry(journal);
  const buffer = bytes(4);
  journal.capture(body, buffer);
  buffer.fill(0);
  expect(body.bytes.toString()).toBe("xxxx");
});

test("clear() forgets all, also what is still arriving", () => {
  const journal = new Journal(LIMITS);
  const { body } = entry(journal);
  journal.capture(body, bytes(4));
  journal.clear();
  journal.capture(body, bytes(4));
  expect(journal.entries).toEqual([]);
  expect([body.size, body.kept]).toEqual([8, 0]);
  const after = entry(journal).body;
  journal.capture(after, bytes(10));
  expect(after.kept).toBe(10);
});
