/**
 * A place in a chain: a toxic, and the line in front of it. What waits lies in the line of the toxic that holds it back.
 */

import type { Fault } from "./fault.ts";
import { type Chunk, type End, PASS, type Step, type Toxic, WAIT } from "./toxic.ts";

export interface Stage {
  fault: Fault | undefined;
  toxic: Toxic;
  line: (Chunk | End)[];
  /** In the line. */
  bytes: number;
  /** Bytes that have got through. */
  passed: number;
  /** Whether the end has come in. */
  hasEnd: boolean;
  /** Whether the end has gone out. Nothing goes out after it. */
  isOver: boolean;
}

export function createStage(fault: Fault | undefined, toxic: Toxic): Stage {
  return { fault, toxic, line: [], bytes: 0, passed: 0, hasEnd: false, isOver: false };
}

export function hasRoom({ toxic: { capacity }, line, bytes, hasEnd, isOver }: Stage): boolean {
  if (hasEnd || isOver) return false;
  return line.length < (capacity?.chunks ?? 1) && bytes < (capacity?.bytes ?? Infinity);
}

/** Adds to the line, also if there is no room. */
export function lineUp(stage: Stage, item: Chunk | End): void {
  stage.line.push(item);
  if (item.type === "end") stage.hasEnd = true;
  else stage.bytes += item.data.length;
}

/** Takes the first bytes, or the end, out of the line. */
export function takeFirst(stage: Stage, bytes: number): Chunk | End | undefined {
  const [first] = stage.line;
  if (first?.type === "chunk" && bytes < first.data.length) {
    const data = first.data.subarray(0, bytes);
    first.data = first.data.subarray(bytes);
    stage.bytes -= bytes;
    return { type: "chunk", data, at: first.at };
  }
  stage.line.shift();
  if (first?.type === "chunk") stage.bytes -= first.data.length;
  return first;
}

/** Empties the line. */
export function takeAll(stage: Stage): (Chunk | End)[] {
  const { line } = stage;
  stage.line = [];
  stage.bytes = 0;
  return line;
}

export function nextStep({ toxic, line: [first], passed }: Stage, now: number): Step {
  const moment = { now, passed };
  if (first === undefined) return toxic.onIdle?.(moment) ?? WAIT;
  return first.type === "chunk" ? toxic.onChunk(first, moment) : (toxic.onEnd?.(moment) ?? PASS);
}
