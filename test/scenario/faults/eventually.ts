import { expect } from "vitest";

/** `expect.poll` with a deadline that a busy machine meets too. @param interval milliseconds */
export function eventually<T>(value: () => T, interval = 20): ReturnType<typeof expect.poll<T>> {
  return expect.poll(value, { timeout: 20_000, interval });
}
