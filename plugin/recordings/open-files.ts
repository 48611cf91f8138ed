/** The HAR files that are being recorded in this process. */

import { randomBytes } from "node:crypto";
import path from "node:path";

import { RecordingFile } from "./recording-file.ts";
import type { RecordingSpec } from "./recording-spec.ts";

/** By path, with the number of recorders. */
const opened = new Map<string, { file: RecordingFile; users: number }>();

/** How the names of spool files begin. */
export const SPOOL = "recording-";

/** @param recovery the folder of the spool file; absent: none */
export function openRecordingFile(spec: RecordingSpec, recovery: string | undefined): RecordingFile {
  const known = opened.get(spec.file);
  if (known !== undefined) {
    known.users++;
    known.file.addNames(spec.redact);
    return known.file;
  }
  const spool = recovery && path.join(recovery, `${SPOOL}${randomBytes(6).toString("hex")}`);
  const file = new RecordingFile(spec, { spool });
  opened.set(spec.file, { file, users: 1 });
  return file;
}

/** @param file absolute path */
export function isBeingRecorded(file: string): boolean {
  return opened.has(file);
}

/** A later recording of the same file begins anew. */
export function closeRecordingFile({ file: name }: RecordingFile): void {
  const known = opened.get(name);
  if (known !== undefined && --known.users === 0) opened.delete(name);
}
