/** Edits of the vpc config under load: which target answers, and what an edit leaves open. */

import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { usageOf } from "./processes.ts";
import type { Report } from "./report.ts";
import { TUNNEL, startLoad } from "./start.ts";
import { waitFor } from "./under-load.ts";

const TARGETS = 5;
const CONCURRENCY = 8;
/** Milliseconds. */
const WATCH = 500;

type Answer = [started: number, ended: number, answer: string];

/** One table, with the times when it was written and when it was applied. */
interface Table {
  target: string;
  written: number;
  taken: number;
}

export async function soakEdits(count: number, report: Report): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "vpc-soak-"));
  const file = path.join(folder, "vpc.jsonc");
  await using stack = new AsyncDisposableStack();
  const origins = await Promise.all(Array.from({ length: TARGETS }, (_, index) => startHttpOrigin(ok(`o${index}`))));
  for (const origin of origins) stack.use(origin);
  const configFor = (index: number): string => {
    const port = origins[index % TARGETS]?.port;
    // The runtime knows every other target when it starts.
    const target = `${index % 2 === 0 ? "127.0.0.1" : "localhost"}:${port}`;
    return JSON.stringify({ traffic: false, networks: { [TUNNEL]: { routes: { "a.internal": target } } } });
  };
  await writeFile(file, configFor(0));
  const load = stack.use(await startLoad(file));
  const tables: Table[] = [{ target: "o0", written: 0, taken: 0 }];

  const ignored: object[] = [];
  const edit = async (index: number): Promise<void> => {
    const written = Date.now();
    // Editors save in one of these two ways.
    if (index % 2 === 0) await writeFile(file, configFor(index));
    else {
      await writeFile(`${file}.new`, configFor(index));
      await rename(`${file}.new`, file);
    }
    const target = `o${index % TARGETS}`;
    // Doesn't wait for output, because it may be about the previous edit, which the system may report twice.
    let answer = "";
    for (const deadline = Date.now() + 10_000; answer !== target && Date.now() < deadline;) {
      answer = await load.call("ask", { url: "http://a.internal/" });
    }
    if (answer !== target) ignored.push({ index, answer, last: load.lines.last.slice(-5) });
    tables.push({ target, written, taken: Date.now() });
  };
  const usage = (): Left => {
    globalThis.gc?.();
    return { node: leftOf(process.pid), runtime: leftOf(load.runtime) };
  };

  // The pools are complete after each target was called once on each path.
  let before: Left | undefined;
  let filesBefore: string[] = [];
  const ending = new AbortController();
  const answers: Answer[] = [];
  const watching = (async () => {
    while (!ending.signal.aborted) {
      const argument = { url: "http://a.internal/", concurrency: CONCURRENCY, time: WATCH };
      answers.push(...(await load.call<Answer[]>("watch", argument)));
    }
  })();
  for (let edits = 1; edits <= count; edits++) {
    await edit(edits);
    if (edits !== TARGETS * 2) continue;
    before = usage();
    filesBefore = await privateFiles();
  }
  ending.abort();
  await watching;

  report.figure("edits", count);
  report.figure("requests during the edits", answers.length);
  report.expect("each edit was applied", ignored);
  report.expect(
    "no request used a wrong table",
    answers.filter(([started, ended, answer]) => !allowed(tables, { started, ended }).has(answer)),
  );
  const after = usage();
  report.figure("descriptors and listeners before", JSON.stringify(before));
  report.figure("descriptors and listeners after", JSON.stringify(after));
  const settled = await waitFor(() => isFlat(before, usage()));
  report.expect("edits leave no port, socket or descriptor open", settled ? [] : [before, usage()]);
  const files = await privateFiles();
  report.expect("edits leave no file", files.length === filesBefore.length ? [] : [filesBefore, files]);
  await rm(folder, { recursive: true });
}

/** @returns the targets that may answer a request: a table may apply from its write until the next one is applied */
function allowed(tables: readonly Table[], { started, ended }: { started: number; ended: number }): Set<string> {
  const some = tables.filter(
    ({ written }, index) => written <= ended && (tables[index + 1]?.taken ?? Infinity) >= started,
  );
  return new Set(some.map(({ target }) => target));
}

/** What edits might leave open. */
type Left = Record<"node" | "runtime", { descriptors: number; listeners: number }>;

function leftOf(pid: number): Left["node"] {
  const { descriptors, listeners } = usageOf(pid);
  return { descriptors, listeners };
}

async function privateFiles(): Promise<string[]> {
  const folders = (await readdir(os.tmpdir())).filter((name) => name.startsWith(`mvpc-${process.pid}-`));
  return (await Promise.all(folders.map((name) => readdir(path.join(os.tmpdir(), name))))).flat();
}

/** @returns whether there are no more listeners, and no more descriptors than the pools may keep */
function isFlat(before: Left | undefined, after: Left): boolean {
  return (["node", "runtime"] as const).every((role) => {
    const [was, is] = [before?.[role], after[role]];
    if (was === undefined) return true;
    return is.listeners === was.listeners && is.descriptors - was.descriptors <= TARGETS * CONCURRENCY * 2;
  });
}
