/**
 * One HAR file that is being recorded: its calls, in memory and without their secrets, until it is written as a whole.
 * Several targets, and several instances that live at the same time, may record into one file.
 */

import { appendFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import type { RequestEntry } from "../scenario/journal.ts";
import { messageOf } from "../system/error.ts";
import type { HarEntry } from "./har.ts";
import { knownSecrets } from "./known-secrets.ts";
import { createRedactor, type Redactor } from "./redact.ts";
import { redactKnown } from "./redact-known.ts";
import { type CallBytes, toHarEntry } from "./to-har-entry.ts";
import type { RecordingSpec } from "./recording-spec.ts";
import { writeHar } from "./write-har.ts";

/** Bytes of all calls of a file. */
const MAX_FILE = 512 * 1024 * 1024;

/** The line of a spool file that says that the recording has been written up to here. */
export const SPOOL_WRITTEN = '"written"';

interface Recorded {
  startedAt: number;
  id: number;
  /** The entry as JSON. */
  json: string;
}

export class RecordingFile {
  readonly #spec: RecordingSpec;
  readonly #redactor: Redactor;
  #spool: string | undefined;
  #calls: Recorded[] = [];
  #size = 0;
  #leftOut = new Map<string, number>();
  #isChanged = false;

  /** @param spool where the calls are also kept until the file is written, in case the process is killed */
  constructor(spec: RecordingSpec, { spool }: { spool?: string | undefined } = {}) {
    this.#spec = spec;
    this.#spool = spool;
    this.#redactor = createRedactor(spec.redact, knownSecrets());
    this.#keep(JSON.stringify(spec));
  }

  get file(): string {
    return this.#spec.file;
  }

  /** Another target records into this file, too. */
  addNames(redact: readonly string[]): void {
    this.#redactor.addNames(redact);
  }

  add(entry: RequestEntry, bytes: CallBytes): void {
    let json: string;
    try {
      json = JSON.stringify(toHarEntry(entry, bytes, this.#redactor));
    } catch (error) {
      this.leaveOut(`had a body that can't be read (${messageOf(error)})`);
      return;
    }
    this.restore(json, entry);
    this.#keep(json);
  }

  /** @param json an entry without its secrets */
  restore(json: string, { startedAt, id }: Pick<RequestEntry, "startedAt" | "id">): void {
    if (this.#size + json.length > MAX_FILE) {
      this.leaveOut(`came after the recording had ${MAX_FILE / 1024 / 1024} MiB`);
      return;
    }
    this.#size += json.length;
    this.#calls.push({ startedAt, id, json });
    this.#isChanged = true;
  }

  /** @param why goes on after "calls that" */
  leaveOut(why: string): void {
    this.#leftOut.set(why, (this.#leftOut.get(why) ?? 0) + 1);
  }

  /** @returns a line for the terminal; undefined if nothing has changed since the last time. Never throws */
  write(): string | undefined {
    const { file, style } = this.#spec;
    const leftOut = [...this.#leftOut].map(([why, count]) => `${count} that ${why}`);
    this.#leftOut = new Map();
    const without = leftOut.length === 0 ? "" : ` Left out: ${leftOut.join(", ")}.`;
    if (!this.#isChanged) return without === "" ? undefined : `Recorded nothing in ${shownPath(file)}.${without}`;
    this.#isChanged = false;
    this.#calls.sort((one, other) => one.startedAt - other.startedAt || one.id - other.id);
    const count = this.#calls.length === 1 ? "1 call" : `${this.#calls.length} calls`;
    try {
      writeHar(file, this.#entries(), style);
      this.#keep(SPOOL_WRITTEN);
      return `Recorded ${count} in ${shownPath(file)}.${without}`;
    } catch (error) {
      return `Can't write the recording ${shownPath(file)}: ${messageOf(error)}. ${this.#rescue(count)}${without}`;
    }
  }

  /** What was learned later may be in an earlier call. */
  *#entries(): Generator<HarEntry> {
    for (const { json } of this.#calls) yield redactKnown(JSON.parse(json) as HarEntry, this.#redactor);
  }

  /** @returns what happened to the calls */
  #rescue(count: string): string {
    const place = path.join(os.tmpdir(), `miniflare-vpc-${process.pid}-${Date.now()}.har`);
    try {
      writeHar(place, this.#entries(), { ...this.#spec.style, content: "embed" });
      this.#keep(SPOOL_WRITTEN);
      return `Its ${count} are in ${place} instead.`;
    } catch (error) {
      return `Its ${count} are lost: ${messageOf(error)}.`;
    }
  }

  /** The calls are in memory, too, so a spool file that can't be written changes nothing unless the process is killed. */
  #keep(line: string): void {
    if (this.#spool === undefined) return;
    try {
      appendFileSync(this.#spool, `${line}\n`, { mode: 0o600 });
    } catch {
      rmSync(this.#spool, { force: true });
      this.#spool = undefined;
    }
  }
}

/** @param file absolute path */
export function shownPath(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith("..") || relative === "" ? file : relative;
}
