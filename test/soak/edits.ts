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
    const origin = origins[index % TARGETS];
    // Every other target is one that the runtime knew when it started.
    const target = `${index % 2 === 0 ? "127.0.0.1" : "localhost"}:${origin?.port}`;
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
  const usage = (): { node: object; runtime: object } => {
    globalThis.gc?.();
    const of = (pid: number): object => {
      const { descriptors, listeners } = usageOf(pid);
      return { descriptors, listeners };
    };
    return { node: of(process.pid), runtime: of(load.runtime) };
  };
  const privateFiles = async (): Promise<string[]> => {
    const folders = (await readdir(os.tmpdir())).filter((name) => name.startsWith(`mvpc-${process.pid}-`));
    return (await Promise.all(folders.map((name) => readdir(path.join(os.tmpdir(), name))))).flat();
  };

  // Until each target has been asked once over each way, connections are still being made.
  const timeFor = count * 60;
  let isEdited = false;
  const watching = load.call<[number, number, string][]>("watch", {
    url: "http://a.internal/",
    concurrency: CONCURRENCY,
    time: timeFor,
  });
  void watching.then(() => (isEdited = true));
  let edits = 0;
  let before: object | undefined;
  let filesBefore: string[] = [];
  while (edits < count) {
    edits++;
    await edit(edits);
    if (edits === TARGETS * 2) {
      before = usage();
      filesBefore = await privateFiles();
    }
  }
  report.figure("edits", edits, isEdited ? "the last of them after the load had ended" : "");
  const answers = await watching;

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

/** As many listeners, and no more descriptors than connections may be kept to the targets. */
function isFlat(before: object | undefined, after: object): boolean {
  const read = (usage: object | undefined): number[] => JSON.stringify(usage).match(/\d+/g)?.map(Number) ?? [];
  const [was, is] = [read(before), read(after)];
  const slack = [TARGETS * CONCURRENCY * 2, 0, TARGETS * CONCURRENCY * 2, 0];
  return is.every((value, index) => value - (was[index] ?? 0) <= (slack[index] ?? 0));
}
