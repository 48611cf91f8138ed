/** Finds out whether the recordings of a vpc config can be replayed. */

import { stat } from "node:fs/promises";

import { type Diagnostic, formatLocation } from "../diagnostics.ts";
import type { LinkedStandIn } from "../link/resolve-target.ts";
import type { HarModel } from "../model.ts";
import { isCi } from "../system/is-ci.ts";
import { HarProblem, MISSING } from "./har-problem.ts";
import { locateOffset } from "./locate-offset.ts";
import { matchSettings } from "./match-settings.ts";
import { isBeingRecorded } from "./open-files.ts";
import { type HarStyle, specOf, styleOf } from "./recording-spec.ts";
import { Recording } from "./recording.ts";

/** Bytes. A larger file would delay the start, so its mistakes are found when it is used (test/recordings/large.test.ts). */
const READ_AT_START = 8 * 1024 * 1024;

/** @param options `isThorough`: reads files of any size */
export async function checkRecordings(
  standIns: Iterable<LinkedStandIn>,
  { isThorough }: { isThorough: boolean },
): Promise<Diagnostic[]> {
  const checked = new Set<string>();
  const all = [...standIns];
  const diagnostics = findConflicts(all);
  for (const { model, position } of all) {
    if (model.type !== "har" || checked.has(model.file)) continue;
    checked.add(model.file);
    const found = await stat(model.file).catch(() => undefined);
    // It is still to be made.
    if (found === undefined && specOf(model) !== undefined) continue;
    if (found !== undefined && found.size > READ_AT_START && !isThorough) continue;
    diagnostics.push(...(await checkRecording(model, position)));
  }
  return diagnostics;
}

async function checkRecording(model: HarModel, position: LinkedStandIn["position"]): Promise<Diagnostic[]> {
  const { file } = model;
  const recording = new Recording({ file, targetOrigins: [], ...matchSettings(model) });
  const shown = JSON.stringify(formatLocation({ file }));
  try {
    const { withoutBody, entries } = await recording.check();
    if (withoutBody === 0) return [];
    const text = `${withoutBody} of ${entries.length} answers of the recording ${shown} have no body in it, so they are empty`;
    const notes = ["Record it again with its content: browsers and Playwright can leave it out."];
    return [{ severity: "warning", code: "recording-without-bodies", text, ...position, notes }];
  } catch (error) {
    if (!(error instanceof HarProblem)) throw error;
    return [await problemOf(error, { file, position, isUpdated: model.update === true })];
  }
}

/** Targets that record into one file in different ways. The first one decides. */
function findConflicts(standIns: readonly LinkedStandIn[]): Diagnostic[] {
  const first = new Map<string, { style: HarStyle; position: LinkedStandIn["position"] }>();
  return standIns.flatMap(({ model, position }): Diagnostic[] => {
    if (model.type !== "har" || model.update !== true) return [];
    const style = styleOf(model);
    const other = first.get(model.file) ?? { style, position };
    first.set(model.file, other);
    const differences = [
      ...(style.content === other.style.content ? [] : [["updateContent", style.content, other.style.content]]),
      ...(style.mode === other.style.mode ? [] : [["updateMode", style.mode, other.style.mode]]),
    ];
    const where = formatLocation(other.position);
    return differences.map(([name, own, others]) => {
      const text = `"${name}" is "${own}" here, but "${others}" at ${where}, which records into the same file and decides`;
      const notes = [`Write the same "${name}" in both places, or record into different files.`];
      return Object.assign({ severity: "warning", code: "recording-conflict", text, notes } as const, position);
    });
  });
}

/** @param place `position`: where the file is named, for a mistake that has no place in it. `isUpdated`: whether it is to be recorded */
export async function problemOf(
  { offset, message }: HarProblem,
  { file, position, isUpdated }: { file: string; position: LinkedStandIn["position"]; isUpdated?: boolean },
): Promise<Diagnostic> {
  const shown = JSON.stringify(formatLocation({ file }));
  if (message === MISSING && isBeingRecorded(file)) {
    const text = `the recording ${shown} is not there yet: it is written when this session ends`;
    const notes = ['Leave "update": true until then, and remove it before the next session.'];
    return { severity: "error", code: "broken-recording", text, ...position, notes };
  }
  const place = offset === undefined ? position : { file, ...(await locateOffset(file, offset)) };
  const advice = recordingAdvice(message, { isUpdated });
  const text = `the recording ${shown} can't be replayed: ${message}`;
  return { severity: "error", code: "broken-recording", text, ...place, notes: [advice] };
}

/** @returns what to do about a `HarProblem` */
export function recordingAdvice(message: string, { isUpdated = false }: { isUpdated?: boolean | undefined }): string {
  if (message !== MISSING) return "Correct the file, or record it again.";
  if (isUpdated && isCi())
    return '"update" records nothing under CI: record it on your machine, without CI in the environment, and commit it.';
  return 'Correct the path, or record it: { "har": …, "target": "localhost:3000", "update": true }.';
}
