/** The time windows of a rate limit, with fake timers. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { countCall } from "../../service-worker/rate-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** @returns the seconds until the window ends, or 0 if the call is allowed */
function secondsLeft(bindingId: string, limit: number, period: number): number {
  try {
    countCall(bindingId, { limit, period });
    return 0;
  } catch (error) {
    return Number(/(\d+) s are left/.exec((error as { reason: string }).reason)?.[1]);
  }
}

test("a window begins with a call and ends after the period; each binding has its own", () => {
  expect(secondsLeft("a", 1, 60)).toBe(0);
  vi.advanceTimersByTime(20_000);
  expect(secondsLeft("a", 1, 60)).toBe(40);
  expect(secondsLeft("b", 1, 60)).toBe(0);
  vi.advanceTimersByTime(40_000);
  expect(secondsLeft("a", 1, 60)).toBe(0);
});

test("an edit of the limit or the period takes effect at once", () => {
  expect(secondsLeft("edited", 1, 60)).toBe(0);
  expect(secondsLeft("edited", 1, 60)).toBe(60);
  expect(secondsLeft("edited", 3, 60)).toBe(0);
  vi.advanceTimersByTime(9000);
  expect(secondsLeft("edited", 1, 10)).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(secondsLeft("edited", 1, 10)).toBe(0);
});
