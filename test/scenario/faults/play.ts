/** Plays bytes through a chain of faults on a clock of its own: exact times, and no waiting. */

import { createChain } from "../../../plugin/scenario/faults/chain.ts";
import type { Fault } from "../../../plugin/scenario/faults/fault.ts";
import { createRandom } from "../../../plugin/scenario/faults/random.ts";
import type { Cause } from "../../../plugin/scenario/faults/toxic.ts";

/** What happens at a time, in milliseconds. */
export type Input = readonly [
  at: number,
  what: { send: string | Buffer } | { end: true } | { lose: true } | { faults: Fault[] } | { isReading: boolean },
];

/** What came out. An end is `end`, `lost`, or the words of the fault that ended it. */
export type Heard = [at: number, what: string];

export interface Played {
  heard: Heard[];
  pieces: Buffer[];
  /** Whether the sender was held back at the end. */
  isHeldBack: boolean;
}

export interface PlayOptions {
  seed?: number;
  /** When the time is over. Default: an hour. */
  until?: number;
  /** Milliseconds: a timer fires at a multiple of it. Default: on the dot. */
  tick?: number;
}

/** @param inputs in the order of their times; `send` and `end` wait in turn while the sender is held back */
export function play(
  faults: Fault[],
  inputs: readonly Input[],
  { seed = 1, until = 3_600_000, tick }: PlayOptions = {},
): Played {
  const heard: Heard[] = [];
  const pieces: Buffer[] = [];
  let now = 0;
  let isReading = true;
  const chain = createChain({
    random: createRandom(seed),
    output: {
      hasRoom: () => isReading,
      write(data) {
        pieces.push(data);
        heard.push([now, data.toString("latin1")]);
      },
      end: (cause) => heard.push([now, describe(cause)]),
    },
  });
  chain.setFaults(faults);
  const sent = inputs.filter(([, what]) => "send" in what || "end" in what || "lose" in what);
  const rest = inputs.filter((input) => !sent.includes(input));
  for (;;) {
    let wakeAt = chain.turn(now);
    for (let isBusy = true; isBusy;) {
      isBusy = false;
      const [change] = rest;
      if (change !== undefined && change[0] <= now) {
        rest.shift();
        isBusy = true;
        if ("faults" in change[1]) chain.setFaults(change[1].faults);
        if ("isReading" in change[1]) ({ isReading } = change[1]);
      }
      const [next] = sent;
      if (next !== undefined && next[0] <= now && (!("send" in next[1]) || chain.hasRoom())) {
        sent.shift();
        isBusy = true;
        if ("send" in next[1]) chain.push(Buffer.from(next[1].send), now);
        if ("end" in next[1]) chain.end();
        if ("lose" in next[1]) chain.end({ how: "lost" });
      }
      wakeAt = chain.turn(now);
    }
    const times = [...rest, ...sent].map(([at]) => at).filter((at) => at > now);
    const then = Math.min(tick === undefined ? wakeAt : Math.ceil(wakeAt / tick) * tick, ...times);
    if (then > until) return { heard, pieces, isHeldBack: !chain.hasRoom() };
    now = then;
  }
}

function describe(cause: Cause | undefined): string {
  if (cause === undefined) return "end";
  return cause.how === "lost" ? "lost" : `${cause.how}: ${cause.failure.detail}`;
}
