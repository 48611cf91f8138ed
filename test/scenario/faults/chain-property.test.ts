/** Whatever faults come and go: bytes stay in order, and only the faults that say so lose any. */

import * as fc from "fast-check";
import { expect, test } from "vitest";

import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import {
  bandwidth,
  latency,
  limitData,
  resetPeer,
  slicer,
  slowClose,
  timeout,
} from "../../../plugin/scenario/faults/make-faults.ts";
import { DEADLINE, runs } from "../../property/runs.ts";
import { type Input, play } from "./play.ts";

const small = fc.nat(300);
const gentle = fc.oneof(
  fc.tuple(small, small).map(([ms, jitter]) => latency(ms, { jitter })),
  fc.integer({ min: 1, max: 50 }).map((rate) => bandwidth(rate)),
  small.map((ms) => slowClose(ms)),
  fc
    .tuple(fc.integer({ min: 1, max: 200 }), fc.nat(100), fc.nat(20_000))
    .map(([averageSize, variation, delay]) =>
      slicer({ averageSize, sizeVariation: Math.min(variation, averageSize - 1), delay }),
    ),
  fc.constant(limitData(1_000_000)),
);
const harsh = fc.oneof(
  fc.nat(500).map((bytes) => limitData(bytes)),
  small.map((ms) => timeout(ms)),
  small.map((ms) => resetPeer(ms)),
);

/** Pieces of a stream at rising times, and its end. */
const stream = fc
  .array(fc.tuple(fc.nat(100), fc.uint8Array({ minLength: 1, maxLength: 2000 })), { maxLength: 12 })
  .map((pieces): Input[] => {
    let at = 0;
    const sent = pieces.map(([pause, data]): Input => [(at += pause), { send: Buffer.from(data) }]);
    return sent.concat([[at, { end: true }]]);
  });
/** Faults come, go, change their place, and the reader is slow. */
const changesOf = (fault: fc.Arbitrary<Fault>): fc.Arbitrary<Input[]> =>
  fc
    .tuple(fc.array(fault, { minLength: 1, maxLength: 5 }), fc.array(fc.tuple(fc.nat(400), fc.nat(), fc.boolean())))
    .map(([pool, changes]) => {
      let at = 0;
      const inputs = changes.map(([pause, mask, isReading]): Input => {
        at += pause;
        if (mask % 3 === 0) return [at, { isReading }];
        const chosen = pool.filter((_, index) => ((mask >> index) & 1) === 1);
        return [at, { faults: mask % 2 === 0 ? chosen : chosen.toReversed() }];
      });
      return inputs.concat([[at, { isReading: true }]]);
    });

/** The bytes that came out, and what came after them: "" if nothing did. */
function hear(faults: Fault[], inputs: Input[], seed: number): { output: Buffer; rest: string[] } {
  const { heard, pieces } = play(faults, inputs, { seed });
  return { output: Buffer.concat(pieces), rest: heard.slice(pieces.length).map(([, what]) => what) };
}

function sentBy(inputs: Input[]): Buffer {
  return Buffer.concat(inputs.flatMap(([, what]) => ("send" in what ? [Buffer.from(what.send)] : [])));
}

test("gentle faults: every byte arrives, in order, and then the end", { timeout: DEADLINE }, () => {
  fc.assert(
    fc.property(
      fc.array(gentle, { maxLength: 4 }),
      stream,
      changesOf(gentle),
      fc.nat(),
      (faults, sent, changes, seed) => {
        const { output, rest } = hear(faults, [...sent, ...changes], seed);
        expect(rest).toEqual(["end"]);
        expect(output.equals(sentBy(sent))).toBe(true);
      },
    ),
    runs(500),
  );
});

test(
  "harsh faults: no byte is invented or out of order, and nothing comes after the end",
  { timeout: DEADLINE },
  () => {
    const any = fc.oneof(gentle, harsh);
    fc.assert(
      fc.property(fc.array(any, { maxLength: 4 }), stream, changesOf(any), fc.nat(), (faults, sent, changes, seed) => {
        const { output, rest } = hear(faults, [...sent, ...changes], seed);
        expect(rest.length).toBeLessThanOrEqual(1);
        expect(rest.join("")).toMatch(/^(|end|(close|reset): the fault .*)$/);
        const all = [faults, ...changes.map(([, what]) => ("faults" in what ? what.faults : []))].flat();
        const hasGap = all.some(({ type }) => type === "timeout");
        expect(
          hasGap ? isSubsequence(output, sentBy(sent)) : sentBy(sent).subarray(0, output.length).equals(output),
        ).toBe(true);
      }),
      runs(500),
    );
  },
);

/** A timeout drops the bytes that come while it is there, and only those. */
function isSubsequence(part: Buffer, whole: Buffer): boolean {
  let position = 0;
  return part.every((byte) => (position = whole.indexOf(byte, position) + 1) > 0);
}

test("the same seed, the same run", { timeout: DEADLINE }, () => {
  fc.assert(
    fc.property(
      fc.array(gentle, { maxLength: 4 }),
      stream,
      changesOf(gentle),
      fc.nat(),
      (faults, sent, changes, seed) => {
        const inputs = [...sent, ...changes];
        expect(play(faults, inputs, { seed })).toEqual(play(faults, inputs, { seed }));
      },
    ),
    runs(100),
  );
});

test("another seed, another run", () => {
  const faults = [slicer({ averageSize: 50, sizeVariation: 40 }), latency(100, { jitter: 90 })];
  const inputs: Input[] = [[0, { send: Buffer.alloc(5000) }]];
  expect(play(faults, inputs, { seed: 1 }).heard).not.toEqual(play(faults, inputs, { seed: 2 }).heard);
});
