/**
 * Records what a session's calls bring into HAR files. Keeps the bytes of each call until it is over, since those of the
 * journal are bounded and may be forgotten.
 *
 *   egress proxy ──▶ journal ── entries, bytes ──▶ recorder ── whole calls, no secrets ──▶ file, at the end
 */

import { Capture } from "../scenario/capture.ts";
import { type JournalEntry, type RequestEntry, type Journal } from "../scenario/journal.ts";
import { whenProcessEnds } from "../system/when-process-ends.ts";
import { closeRecordingFile, isBeingRecorded, openRecordingFile } from "./open-files.ts";
import { type RecordingFile, shownPath } from "./recording-file.ts";
import type { RecordingSpec } from "./recording-spec.ts";
import type { CallBytes } from "./to-har-entry.ts";

/** Bytes of one body, or of all messages of one WebSocket. */
const MAX_BODY = 64 * 1024 * 1024;

export interface Recorder {
  /** What is recorded from now on, besides what was before. `session`: all calls. */
  want(specs: readonly RecordingSpec[], session?: RecordingSpec): void;
  readonly isRecording: boolean;
  /** Writes what has been recorded so far. */
  write(): void;
  /** Writes, and ends. */
  close(): void;
}

interface WholeBytes extends CallBytes {
  messageBytes: Capture;
}

interface RecorderOptions {
  /** For a line in the terminal. */
  print: (line: string) => void;
  /** Where calls are kept in case the process is killed. */
  recovery: string | undefined;
  /** Later instances of this process go on with the same recording, as those of the other files of a vitest run do. */
  isShared?: boolean;
}

export function createRecorder(journal: Journal, { print, recovery, isShared = false }: RecorderOptions): Recorder {
  const files = new Map<string, RecordingFile>();
  /** Calls that are not over. */
  const open = new Map<RequestEntry, WholeBytes>();
  const seen = new WeakSet<RequestEntry>();
  const copies = new Map<Capture, Capture>();
  let session: RecordingSpec | undefined;
  let stop: (() => void) | undefined;

  const fileOf = (spec: RecordingSpec): RecordingFile => {
    const known = files.get(spec.file);
    known?.addNames(spec.redact);
    if (known === undefined && !isBeingRecorded(spec.file))
      print(`Recording into ${shownPath(spec.file)}, which is written when the session ends.`);
    const file = known ?? openRecordingFile(spec, recovery);
    files.set(spec.file, file);
    return file;
  };
  const wantedBy = ({ recording }: RequestEntry): RecordingFile[] => {
    const specs = [...(recording === undefined ? [] : [recording]), ...(session === undefined ? [] : [session])];
    return [...new Set(specs.map(fileOf))];
  };
  const begin = (entry: RequestEntry): void => {
    seen.add(entry);
    const bytes = { body: new Capture(), responseBody: new Capture(), messageBytes: new Capture() };
    open.set(entry, bytes);
    copies.set(entry.body, bytes.body).set(entry.responseBody, bytes.responseBody);
  };
  const finish = (entry: RequestEntry): void => {
    const bytes = open.get(entry);
    if (bytes === undefined) return;
    open.delete(entry);
    for (const capture of [entry.body, entry.responseBody, entry.detail?.messageBytes])
      if (capture !== undefined) copies.delete(capture);
    for (const file of wantedBy(entry)) keep(file, entry, bytes);
  };
  const hear = (entry: JournalEntry): void => {
    if (entry.type !== "request" || entry.detail === undefined) return;
    if (entry.duration === undefined) {
      // It is heard of each time that it changes.
      if (!seen.has(entry)) begin(entry);
      return;
    }
    const { messages, messageBytes, at } = entry.detail;
    if (messages !== undefined && at.ended === undefined) {
      // Its messages have their own capture, which begins with the upgrade.
      const bytes = open.get(entry);
      if (messageBytes !== undefined && bytes !== undefined) copies.set(messageBytes, bytes.messageBytes);
      return;
    }
    if (entry.body.isEnded) finish(entry);
    else void entry.body.ended().then(() => finish(entry));
  };
  const hearBytes = (capture: Capture, chunk: Uint8Array): void => void copies.get(capture)?.add(chunk, MAX_BODY);
  const write = (): void => {
    for (const entry of open.keys()) {
      if (entry.status === 101 && entry.detail?.messages !== undefined) {
        // A WebSocket may stay open until the end.
        finish(entry);
      } else {
        open.delete(entry);
        for (const file of wantedBy(entry)) file.leaveOut("had not ended");
      }
    }
    for (const file of files.values()) {
      const line = file.write();
      if (line !== undefined) print(line);
    }
  };
  const start = (): void => {
    const unwatch = journal.watchClosely({ bytes: hearBytes });
    const forget = whenProcessEnds(write);
    journal.changes.on("entry", hear);
    stop = () => {
      unwatch();
      forget();
      journal.changes.off("entry", hear);
    };
  };
  return {
    want(specs, all) {
      session = all ?? session;
      for (const spec of session === undefined ? specs : [...specs, session]) fileOf(spec);
      if (files.size > 0 && stop === undefined) start();
    },
    get isRecording() {
      return files.size > 0;
    },
    write,
    close() {
      write();
      stop?.();
      stop = undefined;
      if (!isShared) for (const file of files.values()) closeRecordingFile(file);
      files.clear();
    },
  };
}

/** A recording has whole calls only. */
function keep(file: RecordingFile, entry: RequestEntry, bytes: WholeBytes): void {
  if (entry.code !== undefined || entry.status === undefined) file.leaveOut("failed");
  else if ([bytes.body, bytes.responseBody, bytes.messageBytes].some(({ isTruncated }) => isTruncated))
    file.leaveOut(`had more than ${MAX_BODY / 1024 / 1024} MiB`);
  else if (entry.status === 101 && entry.detail?.messages === undefined)
    file.leaveOut("were WebSockets with a Worker or a stand-in, whose messages are not seen");
  else if (entry.detail?.messagesDropped !== undefined)
    file.leaveOut("had WebSocket messages that can't be read or kept");
  else file.add(entry, bytes);
}
