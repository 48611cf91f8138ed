/**
 * Moves the bytes of one stream through its toxics, in order. Knows no clock and no socket: the caller says what time
 * it is, and writes what comes out.
 *
 *   push ─▶ entry ─▶ toxic ─▶ toxic ─▶ output
 */

import { createToxic } from "./create-toxic.ts";
import type { Fault } from "./fault.ts";
import type { Random } from "./random.ts";
import { type Stage, createStage, hasRoom, lineUp, nextStep, takeAll, takeFirst } from "./stage.ts";
import { type Cause, type Chunk, type End, PASS } from "./toxic.ts";

export interface Output {
  /** Whether the reader is ready. What waited for a fault that is removed is written in any case. */
  hasRoom(): boolean;
  write(data: Buffer): void;
  /** Called once, after the last byte. */
  end(cause: Cause | undefined): void;
}

export interface Chain {
  /** Whether it takes more bytes. False for ever after the end, or after a fault has ended the stream. */
  hasRoom(): boolean;
  push(data: Buffer, now: number): void;
  end(cause?: Cause): void;
  /** Moves what may go on. Call it whenever anything has happened. @returns when to call it again at the latest */
  turn(now: number): number;
  /** @param faults those of this stream, in the order in which they act */
  setFaults(faults: readonly Fault[]): void;
}

export function createChain({ random, output }: { random: Random; output: Output }): Chain {
  const entry = createStage(undefined, { onChunk: () => PASS });
  let stages: readonly Stage[] = [entry];
  let hasEnded = false;

  const put = (stage: Stage | undefined, item: Chunk | End): void => {
    if (stage !== undefined) return lineUp(stage, item);
    if (hasEnded) return;
    if (item.type === "chunk") return output.write(item.data);
    hasEnded = true;
    output.end(item.cause);
  };

  const breakAt = (index: number, cause: Cause): void => {
    for (const stage of stages.slice(0, index + 1)) {
      takeAll(stage);
      stage.isOver = true;
    }
    put(stages[index + 1], { type: "end", cause });
  };

  /** @returns "moved", or until when the first in line has to wait */
  const advance = (stage: Stage, index: number, now: number): "moved" | number => {
    if (stage.isOver) return Infinity;
    const next = stages[index + 1];
    const step = nextStep(stage, now);
    switch (step.do) {
      case "wait":
        return step.until;
      case "drop":
        takeFirst(stage, Infinity);
        return "moved";
      case "break":
        breakAt(index, step.cause);
        return "moved";
      case "pass": {
        const isChunk = stage.line[0]?.type === "chunk";
        // The end takes no room.
        if (isChunk && !(next === undefined ? output.hasRoom() : hasRoom(next))) return Infinity;
        const item = takeFirst(stage, step.bytes ?? Infinity);
        if (item === undefined) return Infinity;
        if (item.type === "end") stage.isOver = true;
        else {
          stage.passed += item.data.length;
          item.at = step.at ?? item.at;
          stage.toxic.onPass?.(now);
        }
        put(next, item);
        return "moved";
      }
      default:
        return step satisfies never;
    }
  };

  return {
    hasRoom: () => hasRoom(entry),
    push: (data, now) => lineUp(entry, { type: "chunk", data, at: now }),
    end: (cause) => lineUp(entry, { type: "end", ...(cause && { cause }) }),
    turn(now) {
      for (;;) {
        let hasMoved = false;
        let wakeAt = Infinity;
        // From the last one, so that there is room.
        for (const [index, stage] of [...stages.entries()].toReversed()) {
          for (;;) {
            const outcome = advance(stage, index, now);
            if (outcome !== "moved") {
              wakeAt = Math.min(wakeAt, outcome);
              break;
            }
            hasMoved = true;
          }
        }
        if (!hasMoved) return wakeAt;
      }
    },
    setFaults(faults) {
      const { kept, removed } = match(stages, faults);
      for (const stage of removed) {
        const cause = stage.toxic.whenRemoved;
        if (cause !== undefined && !stage.isOver) breakAt(stages.indexOf(stage), cause);
      }
      const places = kept.flatMap((stage) => (stage === undefined ? [] : [stages.indexOf(stage)]));
      const isReordered = places.some((place, index) => place < (places[index - 1] ?? 0));
      // What waits at a fault that is removed goes on to the next one that stays. From the last one, so that it stays in order.
      let next: Stage | undefined;
      for (const stage of stages.slice(1).toReversed()) {
        if (!removed.includes(stage) && !isReordered) next = stage;
        else for (const item of takeAll(stage)) put(next, item);
      }
      stages = [
        entry,
        ...faults.flatMap((fault, index) => {
          const stage = kept[index];
          if (stage?.fault === fault) return [stage];
          const toxic = createToxic(fault, random);
          if (toxic === undefined) return [];
          return stage === undefined ? [createStage(fault, toxic)] : [Object.assign(stage, { fault, toxic })];
        }),
      ];
    },
  };
}

/** Finds the stage that each fault has already. The same objects first, then updates. */
function match(stages: readonly Stage[], faults: readonly Fault[]): { kept: (Stage | undefined)[]; removed: Stage[] } {
  const unclaimed = new Set(stages.filter(({ fault }) => fault !== undefined));
  const claim = (isSame: (known: Fault) => boolean): Stage | undefined => {
    for (const stage of unclaimed) {
      if (stage.fault === undefined || !isSame(stage.fault)) continue;
      unclaimed.delete(stage);
      return stage;
    }
    return undefined;
  };
  const same = faults.map((fault) => claim((known) => known === fault));
  const kept = faults.map(
    ({ name, type }, index) =>
      same[index] ?? claim((known) => name !== undefined && known.name === name && known.type === type),
  );
  return { kept, removed: [...unclaimed] };
}
