/** Writes the recordings of a session that was killed, from what it left in its spool files. */

import { readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";

import type { HarEntry } from "./har.ts";
import { SPOOL } from "./open-files.ts";
import { RecordingFile, SPOOL_WRITTEN } from "./recording-file.ts";
import type { RecordingSpec } from "./recording-spec.ts";

/** @param folder of the spool files. @returns lines for the terminal */
export function recoverRecordings(folder: string): string[] {
  const spools = readdirSync(folder).filter((name) => name.startsWith(SPOOL));
  return spools.flatMap((name) => {
    const place = path.join(folder, name);
    // The last line may be only half written.
    const lines = readFileSync(place, "utf8").split("\n").slice(0, -1);
    rmSync(place);
    const [spec, ...entries] = lines;
    if (spec === undefined || entries.length === 0 || entries.at(-1) === SPOOL_WRITTEN) return [];
    const file = new RecordingFile(JSON.parse(spec) as RecordingSpec);
    for (const [id, json] of entries.entries()) {
      if (json === SPOOL_WRITTEN) continue;
      const { startedDateTime } = JSON.parse(json) as HarEntry;
      file.restore(json, { id, startedAt: Date.parse(startedDateTime) });
    }
    const line = file.write();
    return line === undefined ? [] : [`The session was killed. ${line}`];
  });
}
