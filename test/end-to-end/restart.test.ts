/** If a target restarts or closes kept connections between two requests, no request that may be repeated is lost. */

import type net from "node:net";
import { describe, expect, test } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { TUNNEL, startTestWorker } from "../setup/test-worker.ts";

const ROUNDS = 10;
/** The number of kept connections. */
const KEPT = 4;

interface Target extends AsyncDisposable {
  port: number;
  origin: HttpOrigin;
  /** What happens to the next request on an old connection. */
  meet: "answer" | "fin" | "reset";
  restart(): Promise<void>;
  /** Makes the connections that are open now old. */
  age(): void;
}

/** Keeps its port when it restarts. */
async function startTarget(): Promise<Target> {
  const old = new WeakSet<net.Socket>();
  const answer = (_: string, socket: net.Socket): string | undefined => {
    if (target.meet === "answer" || !old.has(socket)) return ok("here");
    if (target.meet === "fin") socket.end();
    else socket.resetAndDestroy();
    return undefined;
  };
  const first = await startHttpOrigin(answer, { allowHalfOpen: true });
  const { port } = first;
  const target: Target = {
    port,
    origin: first,
    meet: "answer",
    async restart() {
      await target.origin[Symbol.asyncDispose]();
      target.origin = await startHttpOrigin(answer, { allowHalfOpen: true, port });
    },
    age() {
      for (const socket of target.origin.open) old.add(socket);
    },
    [Symbol.asyncDispose]: () => target.origin[Symbol.asyncDispose](),
  };
  return target;
}

const STATES: [what: string, happen: (target: Target) => Promise<void> | void][] = [
  ["restarted", (target) => target.restart()],
  ["closed its idle connections", ({ origin }) => origin.open.forEach((socket) => socket.destroy())],
  ["closed its half of them", ({ origin }) => origin.open.forEach((socket) => socket.end())],
  ["reset them", ({ origin }) => origin.open.forEach((socket) => socket.resetAndDestroy())],
  ["closes each when the next request comes on it", (target) => void (target.meet = "fin")],
  ["resets each when the next request comes on it", (target) => void (target.meet = "reset")],
];

const paths: [path: string, target: (port: number) => string][] = [
  ["direct path", (port) => `127.0.0.1:${port}`],
  ["egress proxy", () => "127.0.0.1"],
];

describe.each(paths)("%s", (_, toTarget) => {
  describe.each(STATES)("the target %s", (_, happen) => {
    test.each(["GET", "POST"])("%s", async (method) => {
      await using target = await startTarget();
      await using worker = await startTestWorker({
        config: { traffic: false, networks: { [TUNNEL]: { routes: { "a.internal": toTarget(target.port) } } } },
        ops: {
          async send(env, [url, method, count]: [url: string, method: string, count: number]) {
            const body = method === "POST" ? { body: "once" } : {};
            const calls = Array.from({ length: count }, async () => {
              const response = await env.NET.fetch(url, { method, ...body });
              return response.text();
            });
            const settled = await Promise.allSettled(calls);
            return settled.map((result) => (result.status === "fulfilled" ? result.value : result.reason.message));
          },
        },
      });
      const url = `http://a.internal:${target.port}/`;
      const lost: unknown[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        target.meet = "answer";
        expect(await worker.call("send", [url, "GET", KEPT])).toEqual(Array(KEPT).fill("here"));
        target.age();
        await happen(target);
        const sent = await worker.call<string[]>("send", [url, method, KEPT]);
        lost.push(...sent.filter((result) => result !== "here"));
      }
      if (process.env["COUNT_LOSSES"]) console.log(`${method} lost ${lost.length} of ${ROUNDS * KEPT}`);
      // The target may have processed a request that it dropped, so a POST is sent once.
      expect(lost).toEqual(method === "GET" ? [] : lost.map(() => "ProxyError: connection_terminated"));
    });
  });
});
