/** Edits of the vpc config under load: who answers a request, and what an edit leaves behind. */

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

/** One table: from when it might have been in force, and from when it was. */
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
    // Every other target is one that the runtime knew when it started.
    const target = `${index % 2 === 0 ? "127.0.0.1" : "localhost"}:${port}`;
    return JSON.stringify({ traffic: false, networks: { [TUNNEL]: { routes: { "a.internal": target } } } });
  };
  await writeFile(file, configFor(0));
  const load = stack.use(await startLoad(file));
  const tables: Table[] = [{ target: "o0", written: 0, taken: 0 }];

  const ignored: object[] = [];
  const edit = async (index: number): Promise<void> => {
    const written = Date.now();
    // As editors do it, one way or the other.
    if (index % 2 === 0) await writeFile(file, configFor(index));
    else {
      await writeFile(`${file}.new`, configFor(index));
      await rename(`${file}.new`, file);
    }
    const target = `o${index % TARGETS}`;
    // What is printed may be about the edit before, which the system may tell of twice.
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

  // Until each target has been asked once over each way, connections are still being made.
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
  report.expect("each edit was taken over", ignored);
  report.expect(
    "no request was answered by a wrong table",
    answers.filter(([started, ended, answer]) => !allowed(tables, { started, ended }).has(answer)),
  );
  const after = usage();
  report.figure("descriptors and listeners before", JSON.stringify(before));
  report.figure("descriptors and listeners after", JSON.stringify(after));
  const settled = await waitFor(() => isFlat(before, usage()));
  report.expect("no port, socket or descriptor is left of an edit", settled ? [] : [before, usage()]);
  const files = await privateFiles();
  report.expect("no file is left of an edit", files.length === filesBefore.length ? [] : [filesBefore, files]);
  await rm(folder, { recursive: true });
}

/** Who may have answered a request: a table was in force from some time after it was written until the next was taken over. */
function allowed(tables: readonly Table[], { started, ended }: { started: number; ended: number }): Set<string> {
  const some = tables.filter(
    ({ written }, index) => written <= ended && (tables[index + 1]?.taken ?? Infinity) >= started,
  );
  return new Set(some.map(({ target }) => target));
}

/** What an edit might leave open. */
type Left = Record<"node" | "runtime", { descriptors: number; listeners: number }>;

function leftOf(pid: number): Left["node"] {
  const { descriptors, listeners } = usageOf(pid);
  return { descriptors, listeners };
}

async function privateFiles(): Promise<string[]> {
  const folders = (await readdir(os.tmpdir())).filter((name) => name.startsWith(`mvpc-${process.pid}-`));
  return (await Promise.all(folders.map((name) => readdir(path.join(os.tmpdir(), name))))).flat();
}

/** As many listeners, and no more descriptors than connections may be kept to the targets. */
function isFlat(before: Left | undefined, after: Left): boolean {
  return (["node", "runtime"] as const).every((role) => {
    const [was, is] = [before?.[role], after[role]];
    if (was === undefined) return true;
    return is.listeners === was.listeners && is.descriptors - was.descriptors <= TARGETS * CONCURRENCY * 2;
  });
}
