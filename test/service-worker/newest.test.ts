import { expect, it } from "vitest";
import { keepNewest } from "../../service-worker/routing/newest.ts";

it.each([1, 3, 100, 1000])("of %i values, the newest stay, and a value that is kept again is the newest", (max) => {
  const map = new Map<string, number>();
  for (let value = 0; value < 3 * max; value++) {
    keepNewest(map, "again", { value, max });
    keepNewest(map, `${value}`, { value, max });
    expect(map.size).toBeLessThanOrEqual(max);
    expect([...map.values()].at(-1)).toBe(value);
  }
  expect(map.size).toBeGreaterThanOrEqual(Math.floor(max * 0.99));
  expect(map.has("again")).toBe(max > 1);
});
