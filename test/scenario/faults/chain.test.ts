/** What each fault does to the bytes of one stream, on a clock of its own. */

import { describe, expect, test } from "vitest";

import { bandwidth, latency, slicer } from "../../../plugin/scenario/faults/make-faults.ts";
import { CASES, type Case } from "./chain-cases.ts";
import { type Heard, type Input, play } from "./play.ts";

function toInput(event: string, change: Case[4] = []): Input {
  const [, at = "", what = ""] = /^(\d+) (.*)$/.exec(event) ?? [];
  switch (what) {
    case "end":
      return [Number(at), { end: true }];
    case "lost":
      return [Number(at), { lose: true }];
    case "pause":
    case "read":
      return [Number(at), { isReading: what === "read" }];
    case "change":
      return [Number(at), { faults: change }];
    default:
      return [Number(at), { send: what.startsWith("#") ? Buffer.alloc(Number(what.slice(1))) : what }];
  }
}

function format([at, what]: Heard): string {
  return `${at} ${what.startsWith("\0") ? `#${what.length}` : what}`;
}

describe.each(Object.entries(CASES))("%s", (_, cases) => {
  test.each(cases)("%s", (_what, faults, sent, heard, change) => {
    const inputs = sent.split(", ").filter(Boolean);
    const played = play(
      faults,
      inputs.map((event) => toInput(event, change)),
    );
    expect(played.heard.map(format).join(", ")).toBe(heard);
  });
});

/** So many pieces at one time. */
function pieces(count: number, data: string | Buffer): Input[] {
  return Array.from({ length: count }, (): Input => [0, { send: data }]);
}

describe("latency with jitter", () => {
  test("at most so much more or less, in order, and not the same each time", () => {
    const inputs = Array.from({ length: 500 }, (_, index): Input => [index * 1000, { send: String(index) }]);
    const { heard } = play([latency(100, { jitter: 50 })], inputs);
    expect(heard.map(([, what]) => what)).toEqual(inputs.map((_, index) => String(index)));
    const delays = heard.map(([at], index) => at - index * 1000);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...delays)).toBeLessThan(150);
    expect(new Set(delays).size).toBeGreaterThan(60);
  });

  test("larger than the latency: nothing arrives before it was sent", () => {
    const inputs = Array.from({ length: 200 }, (_, index): Input => [index * 1000, { send: "x" }]);
    const { heard } = play([latency(1, { jitter: 100 }), latency(50)], inputs);
    expect(heard.length).toBe(200);
    for (const [index, [at]] of heard.entries()) expect(at).toBeGreaterThanOrEqual(index * 1000 + 50);
  });
});

describe("latency does not limit the bandwidth", () => {
  test("100 pieces take no longer than one", () => {
    const { heard } = play([latency(100)], pieces(100, Buffer.alloc(12_000)));
    expect(heard.map(([at]) => at)).toEqual(Array.from({ length: 100 }, () => 100));
  });

  test.each([
    ["8 MiB", 512 * 1024, 16],
    ["1024 pieces", 1, 1024],
  ])("%s are on their way at most, and one more piece; then the sender is held back", (_, size, count) => {
    const inputs = pieces(count + 3, Buffer.alloc(size));
    expect(play([latency(100)], inputs, { until: 50 }).isHeldBack).toBe(true);
    const { heard } = play([latency(100)], inputs);
    expect(heard.map(([at]) => at)).toEqual([...Array.from({ length: count + 1 }, () => 100), 200, 200]);
  });
});

describe("bandwidth", () => {
  test("many small pieces take as long as a large one", () => {
    const { heard } = play([bandwidth(1000)], pieces(480, Buffer.alloc(1000)));
    expect(heard.at(-1)?.[0]).toBeCloseTo(480);
  });

  test("time for which the reader was slow is made up for by 100 ms at most", () => {
    const reading: Input[] = [
      [0, { isReading: false }],
      [10_000, { isReading: true }],
    ];
    const { heard } = play([bandwidth(1)], [...reading, ...pieces(1, Buffer.alloc(1000))]);
    expect(heard[0]?.[0]).toBe(10_000);
    expect(heard.at(-1)?.[0]).toBeGreaterThanOrEqual(10_000 + 700);
  });
});

describe("slicer", () => {
  test.each([
    { averageSize: 1024, sizeVariation: 512, delay: 10 },
    { averageSize: 1024, sizeVariation: 1023 },
    { averageSize: 1024 },
  ])("480 KB in about 480 slices: %o", (options) => {
    const whole = "hello world ".repeat(40_000);
    const { pieces: slices } = play([slicer(options)], [[0, { send: whole }]]);
    expect(slices.length).toBeGreaterThan(480 / 2);
    expect(slices.length).toBeLessThan(480 * 2);
    const sizes = slices.map(({ length }) => length);
    expect(Math.min(...sizes)).toBeGreaterThan(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(options.averageSize + (options.sizeVariation ?? 0));
    expect(Buffer.concat(slices).toString()).toBe(whole);
  });

  test("delays shorter than a timer can wait add up to no more", () => {
    const fault = slicer({ averageSize: 1, delay: 100 });
    const { heard } = play([fault], [...pieces(1, Buffer.alloc(100)), [0, { end: true }]], { tick: 1 });
    expect(heard.at(-1)).toEqual([10, "end"]);
  });
});
