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

const PATHS = ["straight", "direct", "egress"] as const;
type Path = (typeof PATHS)[number];

const ROWS: readonly ParityCase[] = Object.values(PARITY_CASES).flat();

/** One a row and path, so that each begins without connections. */
let origins: Record<Path, readonly ObservedOrigin[]>;
let sessions: Record<Path, Session>;

beforeAll(async () => {
  const [straight, direct, egress] = await Promise.all([startOrigins(), startOrigins(), startOrigins()]);
  origins = { straight, direct, egress };
  const services = straight.map(({ port }, index) => [
    hostOf(index),
    { type: "external", address: local(port), http: {} },
  ]);
  const routes = direct.flatMap(({ port }, index) => [
    [hostOf(index), local(port)],
    [`other-${hostOf(index)}`, local(port)],
  ]);
  const NET = { type: "vpc-network", tunnelId: TUNNEL };
  const started = await Promise.all([
    start({}, Object.fromEntries(services) as Record<string, object>),
    start({ networks: { [TUNNEL]: { routes: Object.fromEntries(routes) as object } } }, { NET }),
    // The port is known only when the request comes.
    start({ networks: { [TUNNEL]: { routes: { "*.internal": "127.0.0.1" } } } }, { NET }),
  ]);
  sessions = { straight: started[0], direct: started[1], egress: started[2] };
});

afterAll(async () => {
  await Promise.all(Object.values(sessions).map((session) => session[Symbol.asyncDispose]()));
  await Promise.all(PATHS.flatMap((path) => origins[path].map((origin) => origin[Symbol.asyncDispose]())));
});

function startOrigins(): Promise<ObservedOrigin[]> {
  return Promise.all(ROWS.map(({ answer = ok("a") }) => startObservedOrigin(answer)));
}

function local(port: number): string {
  return `127.0.0.1:${port}`;
}

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
  const { port, observation } = origins[path][index]!;
  const result = await sessions[path].call<Seen | Seen[]>("run", { index, host: hostOf(index), port });
  return { observation, worker: typeof result[0] === "string" ? [result as Seen] : (result as Seen[]) };
}

function replace(transcript: string, replacements: Replacements): string {
  return replacements.reduce((text, [straight, instead]) => {
    expect(text, "a declared deviation starts from what is there").toContain(straight);
    return text.replaceAll(straight, () => instead);
  }, transcript);
}
