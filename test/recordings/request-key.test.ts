/** What two requests must have in common. */

import { expect, test } from "vitest";

import { contentOf, recordedKey } from "../../plugin/recordings/request-key.ts";

test.each([501, 8000, 200_000])("a JSON body of %s levels is compared byte for byte", (levels) => {
  const body = Buffer.from("[".repeat(levels) + "]".repeat(levels));
  expect(contentOf(body, "application/json")).toEqual({ type: "bytes", bytes: body });
  const settings = { headers: [], ignore: new Set<string>() };
  const keyOf = (text: Buffer): string =>
    recordedKey(
      { method: "POST", url: new URL("http://a/"), headers: [], body: text, isUpgrade: false },
      { isBodyKnown: true, settings },
    );
  expect(keyOf(Buffer.from(body))).toBe(keyOf(body));
  expect(keyOf(Buffer.from(`${body.toString()} `))).not.toBe(keyOf(body));
});

test("a JSON body of 500 levels is compared as JSON", () => {
  const body = Buffer.from("[".repeat(500) + "]".repeat(500));
  expect(contentOf(body, "").type).toBe("json");
});
