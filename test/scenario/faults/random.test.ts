import { expect, test } from "vitest";

import { createRandom } from "../../../plugin/scenario/faults/random.ts";

function draw(random: { next(): number }, count: number): number[] {
  return Array.from({ length: count }, () => random.next());
}

test("the same seed gives the same numbers, another one others", () => {
  expect(draw(createRandom(7), 100)).toEqual(draw(createRandom(7), 100));
  expect(draw(createRandom(7), 100)).not.toEqual(draw(createRandom(8), 100));
});

test("restart begins again", () => {
  const random = createRandom(1);
  draw(random, 3);
  random.restart(7);
  expect(draw(random, 100)).toEqual(draw(createRandom(7), 100));
});

test.each([0, 1, 42, -1, 2 ** 32 - 1])("seed %d: from 0 to below 1, spread evenly", (seed) => {
  const numbers = draw(createRandom(seed), 100_000);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const number of numbers) tenths[Math.floor(number * 10)]!++;
  for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(600);
});
