/**
 * Records the config of every workerd that Miniflare starts, by replacing the program.
 *
 *   Miniflare ── config on standard input ──▶ this script ── copy ──▶ a file
 *                                                └── exec workerd, which reads that file
 */

import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { workerdProgram } from "./locate-workerd.ts";

/** The variable that makes Miniflare run another program than workerd. */
const PROGRAM_VARIABLE = "MINIFLARE_WORKERD_PATH";

export interface Capture<Result> {
  result: Result;
  /** One config per runtime, in the order of their start. A restarted runtime adds one. */
  configs: Uint8Array[];
}

/** The variable belongs to the whole process, so captures take turns. */
let lastCapture: Promise<unknown> = Promise.resolve();

/**
 * Runs `start`, and records the configs that workerd receives meanwhile, even from processes that inherit the environment.
 * Don't nest captures: the inner one would never end.
 */
export function captureConfigs<Result>(start: () => Promise<Result>): Promise<Capture<Result>> {
  const capture = lastCapture.then(() => captureNow(start));
  lastCapture = capture.then(
    () => undefined,
    // The caller gets the error. The next capture does not depend on it.
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
  // The process id names the recording. `exec` keeps it, so Miniflare's signals reach workerd.
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
