/**
 * One list of HTTP behaviours, three ways: straight to the server, through the direct path, through the
 * egress proxy. What the origin received and what the Worker got back must be identical.
 *
 *   Worker ── external service ─────────────────────────────▶ origin     straight
 *          ── VPC Network ── service worker ── external ────▶ origin     direct
 *          ── VPC Network ── service worker ── Node ────────▶ origin     egress
 *
 * The straight way is that of an `external` service because the global `fetch` adds a `CF-Worker` field.
 */

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { PARITY_CASES } from "./cases/parity.ts";
import type { ParityCase, Replacements, Scene, Seen } from "./cases/parity-case.ts";
import { see } from "./cases/parity-see.ts";
import { type Run, transcribe } from "./cases/parity-transcript.ts";
import { ok } from "./servers/http-origin.ts";
import { type ObservedOrigin, startObservedOrigin } from "./servers/observed-origin.ts";
import { type Session, TUNNEL, startSession } from "./session.ts";

type Path = "straight" | "direct" | "egress";

const ROWS: readonly ParityCase[] = Object.values(PARITY_CASES).flat();

let origins: ObservedOrigin[];
let sessions: Record<Path, Session>;

/** One origin a row, so that each begins without connections. */
beforeAll(async () => {
  origins = await Promise.all(ROWS.map(({ answer = ok("a") }) => startObservedOrigin(answer)));
  const addresses = origins.map(({ port }) => `127.0.0.1:${port}`);
  const services = addresses.map((address, index) => [hostOf(index), { type: "external", address, http: {} }]);
  const routes = addresses.flatMap((address, index) => [
    [hostOf(index), address],
    [`other-${hostOf(index)}`, address],
  ]);
  const NET = { type: "vpc-network", tunnelId: TUNNEL };
  const [straight, direct, egress] = await Promise.all([
    start({}, Object.fromEntries(services) as Record<string, object>),
    start({ networks: { [TUNNEL]: { routes: Object.fromEntries(routes) as object } } }, { NET }),
    // The port is known only when the request comes.
    start({ networks: { [TUNNEL]: { routes: { "*.internal": "127.0.0.1" } } } }, { NET }),
  ]);
  sessions = { straight, direct, egress };
});

afterAll(async () => {
  await Promise.all(Object.values(sessions).map((session) => session[Symbol.asyncDispose]()));
  await Promise.all(origins.map((origin) => origin[Symbol.asyncDispose]()));
});

function hostOf(index: number): string {
  return `case-${index}.internal`;
}

// Of the prelude: an import could not be named in an operation.
declare const rows: ((scene: Scene) => Promise<Seen | Seen[]>)[];
declare const tools: Pick<Scene, "see">;

function start(config: object, env: Record<string, object>): Promise<Session> {
  return startSession({
    config,
    env,
    prelude: `const tools = { see: ${see.toString()} };\nconst rows = [${ROWS.map(toSource).join(",\n")}];`,
    ops: {
      run: (env, { index, host, port }) => {
        const binding = env.NET ?? env[host];
        // oxlint-disable-next-line unicorn/consistent-function-scoping -- the function's source is what runs
        const toUrl = (path: string): string => (/^[/?]/.test(path) ? `http://HOST${path}` : path);
        return rows[index]!({
          fetch: (path, init) => binding.fetch(toUrl(path).replace("HOST", `${host}:${port}`), init),
          ...tools,
        });
      },
    },
  });
}

function toSource({ ask = {} }: ParityCase): string {
  if (typeof ask === "function") return ask.toString();
  const fetches = [ask]
    .flat()
    .map(({ path = "/", init = {} }) => `await see(fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}))`);
  return `async ({ fetch, see }) => [${fetches.join(", ")}]`;
}

describe.each(Object.entries(PARITY_CASES))("%s", (_, rows) => {
  describe.each(rows.map((row) => [row.title, row] as const))("%s", (_, row) => {
    let once: Promise<string> | undefined;
    const straight = (): Promise<string> => (once ??= runStraight(row));

    it("straight to the server", async () => {
      expect(await straight()).not.toBe("");
    });

    it.each(["direct", "egress"] as const)("through the %s path", async (path) => {
      const expected = replace(await straight(), row.deviates?.[path] ?? []);
      const run = await runOn(path, row);
      await vi.waitFor(() => expect(transcribe(run)).toBe(expected));
    });
  });
});

/** @returns the transcript that the others are held against, itself held against the row */
async function runStraight(row: ParityCase): Promise<string> {
  const { gets = ["200 OK"], notes = 0 } = row;
  const run = await runOn("straight", row);
  await vi.waitFor(() => expect(run.observation.notes).toHaveLength(notes));
  const transcript = transcribe(run);
  const firsts = run.worker.map(([first = ""], index) => first.slice(0, gets[index]?.length));
  expect(firsts).toEqual(gets);
  return transcript;
}

async function runOn(path: Path, row: ParityCase): Promise<Run> {
  const index = ROWS.indexOf(row);
  const { port, observe } = origins[index]!;
  const observation = observe();
  const result = await sessions[path].call<Seen | Seen[]>("run", { index, host: hostOf(index), port });
  return { observation, worker: typeof result[0] === "string" ? [result as Seen] : (result as Seen[]) };
}

function replace(transcript: string, replacements: Replacements): string {
  return replacements.reduce((text, [straight, instead]) => {
    expect(text, "a declared deviation starts from what is there").toContain(straight);
    return text.replaceAll(straight, () => instead);
  }, transcript);
}
