/**
 * Records the config of every workerd that Miniflare starts, by standing in front of the program.
 *
 *   Miniflare ── config on standard input ──▶ this script ── copy ──▶ a file
 *                                                └── exec workerd, which reads that file
 */

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { workerdProgram } from "./locate-workerd.ts";

/** The variable by which Miniflare can be told of another program than workerd's own. */
const PROGRAM_VARIABLE = "MINIFLARE_WORKERD_PATH";

export interface Capture<Result> {
  result: Result;
  /** One a runtime, in the order they were started: a swapped runtime adds one. */
  configs: Uint8Array[];
}

/** The variable belongs to the whole process, so captures take turns. */
let lastCapture: Promise<unknown> = Promise.resolve();

/**
 * Runs `start` and records what workerd is handed meanwhile, also by processes that `start` starts
 * with this process's environment. A capture inside a capture never ends.
 */
export function captureConfigs<Result>(start: () => Promise<Result>): Promise<Capture<Result>> {
  const capture = lastCapture.then(() => captureNow(start));
  lastCapture = capture.then(
    () => undefined,
    // Whoever asked for it sees it fail; the next one in line does not depend on it.
    () => undefined,
  );
  return capture;
}

async function captureNow<Result>(start: () => Promise<Result>): Promise<Capture<Result>> {
  await using directory = await makeRecorder();
  const before = process.env[PROGRAM_VARIABLE];
  process.env[PROGRAM_VARIABLE] = directory.program;
  try {
    const result = await start();
    return { result, configs: await readInOrder(directory.recordings) };
  } finally {
    if (before === undefined) delete process.env[PROGRAM_VARIABLE];
    else process.env[PROGRAM_VARIABLE] = before;
  }
}

async function makeRecorder(): Promise<AsyncDisposable & { program: string; recordings: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), "workerd-config-"));
  const program = path.join(directory, "workerd");
  const recordings = path.join(directory, "recordings");
  await mkdir(recordings);
  // The process id is unique among the runtimes of one capture unless the system wraps around it;
  // `exec` keeps it, so Miniflare's signals reach workerd itself.
  const script = `#!/bin/sh
set -e
recording=${quote(recordings)}/$$
cat > "$recording"
exec ${quote(workerdProgram())} "$@" < "$recording"
`;
  await writeFile(program, script, { mode: 0o755 });
  return { program, recordings, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

async function readInOrder(directory: string): Promise<Uint8Array[]> {
  const files = (await readdir(directory)).map((file) => path.join(directory, file));
  const dated = await Promise.all(
    files.map(async (file) => ({ bytes: await readFile(file), at: (await stat(file, { bigint: true })).mtimeNs })),
  );
  return dated.toSorted((a, b) => Number(a.at - b.at)).map(({ bytes }) => bytes);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
