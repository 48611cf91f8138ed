/** The service worker keeps the outcome of a `connect()` until it is asked for. */

import { expect, test } from "vitest";
import { awaitHost, awaitOutcome, settleOutcome } from "../../service-worker/connect-outcomes.ts";

test.each(["asked for first", "reported first"])(
  "20 000 connections settle at once, each with its own outcome: %s",
  async (order) => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `${order}-${index}`);
    const report = (): void => {
      for (const [index, id] of ids.entries()) {
        settleOutcome(id, index % 2 === 0 ? { type: "open" } : { type: "failed", code: "connection_refused" });
      }
    };
    if (order === "reported first") report();
    const outcomes = Promise.all(ids.map((id) => awaitOutcome(id)));
    if (order === "asked for first") report();
    const types = (await outcomes).map(({ type }) => type);
    expect(types).toEqual(ids.map((_, index) => (index % 2 === 0 ? "open" : "failed")));
  },
);

test("the host arrives if it is asked for before the connection and if it is asked for after", async () => {
  const asked = awaitHost("a");
  const first = awaitOutcome("a", "long.internal");
  const second = awaitOutcome("b", "other.internal");
  expect([await asked, await awaitHost("b")]).toEqual(["long.internal", "other.internal"]);
  settleOutcome("a", { type: "open" });
  settleOutcome("b", { type: "open" });
  await Promise.all([first, second]);
});
