/** Connections: kept, closed, shared, and aborted by the Worker. */

import { ok } from "../servers/http-origin.ts";
import type { Answer, Exchange } from "../servers/observed-origin.ts";
import { APART, CLOSE_IS_LOCAL, type ParityCase, proxied } from "./case.ts";

const CLOSING = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na";

function noteClose({ socket, note }: Exchange): void {
  socket.once("close", () => note("closed"));
}

/** Two requests, the second after the end of the first response. */
const IN_TURN = { ask: [{ path: "/a" }, { path: "/b" }], gets: ["200 OK", "200 OK"] };

const REUSE: readonly ParityCase[] = [
  { title: "a connection serves the next request", ...IN_TURN },
  {
    title: "a connection serves the next request after a chunked body",
    ...IN_TURN,
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  },
  {
    title: "a connection serves GET, POST, HEAD and a 304 in turn",
    ask: [
      { path: "/a" },
      { path: "/b", init: { method: "POST", body: "b" } },
      { path: "/c", init: { method: "HEAD" } },
      { path: "/d" },
    ],
    answer: ({ ordinal, ended, send }) =>
      ended.then(() =>
        send(
          [ok("a"), ok("b"), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HTTP/1.1 304 Same\r\n\r\n"][
            ordinal - 1
          ] ?? "",
        ),
      ),
    gets: ["200 OK", "200 OK", "200 OK", "304 Same"],
    deviates: {
      direct: [["→ connection 1\n→ POST", "→ connection 2\n→ POST"]],
      egress: ["POST", "HEAD", "GET /d"].map((next) => [`→ connection 1\n→ ${next}`, `→ connection 2\n→ ${next}`]),
      reason: APART,
    },
  },
  {
    title: "Connection: close from the origin, which closes",
    ...IN_TURN,
    answer: ({ ended, socket }) => ended.then(() => socket.end(CLOSING)),
    ...CLOSE_IS_LOCAL,
  },
  {
    title: "Connection: close from the origin, which waits for the other side",
    ...IN_TURN,
    answer: CLOSING,
    ...CLOSE_IS_LOCAL,
  },
  { title: "HTTP/1.0 with a length", ...IN_TURN, answer: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na" },
  {
    title: "HTTP/1.0 with keep-alive",
    ...IN_TURN,
    answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na",
    ...proxied(
      "workerd falls back to HTTP/1.0, Node does not",
      ["GET /b HTTP/1.0", "GET /b HTTP/1.1"],
      ["→ Connection: keep-alive\n", ""],
    ),
  },
  {
    title: "Keep-Alive with a timeout",
    ...IN_TURN,
    answer: "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60, max=100\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "two requests at once take two connections",
    ask: async ({ fetch, see }) => Promise.all([see(fetch("/")), see(fetch("/"))]),
    answer: holdUntilTwo(),
    gets: ["200 OK", "200 OK"],
  },
];

/** Answers the first request when the second arrives. */
function holdUntilTwo(): Answer {
  let held: Exchange | undefined;
  return async (exchange) => {
    await exchange.ended;
    const first = held;
    held = first === undefined ? exchange : undefined;
    if (first === undefined) return;
    first.send(ok("a"));
    exchange.send(ok("a"));
  };
}

const ABORTS: readonly ParityCase[] = [
  {
    title: "an abort before the request",
    ask: ({ fetch, see }) => see(fetch("/", { signal: AbortSignal.abort() })),
    gets: ["threw AbortError: The operation was aborted"],
  },
  {
    title: "an abort with a reason before the request",
    ask: ({ fetch, see }) => see(fetch("/", { signal: AbortSignal.abort(new RangeError("enough")) })),
    gets: ["threw RangeError: enough"],
  },
  {
    title: "an abort before the response",
    ask: async ({ fetch, see }) => {
      const controller = new AbortController();
      const pending = fetch("/waits", { signal: controller.signal });
      await (await fetch("/arrived")).text();
      controller.abort();
      return see(pending);
    },
    answer: onceArrived(),
    isUnordered: true,
    gets: ["threw AbortError: The operation was aborted"],
    notes: 1,
  },
  {
    title: "a timeout signal before the response",
    ask: ({ fetch, see }) => see(fetch("/", { signal: AbortSignal.timeout(50) })),
    answer: noteClose,
    gets: ["threw TimeoutError"],
    notes: 1,
  },
  {
    title: "an abort in the middle of the response",
    ask: async ({ fetch }) => {
      const controller = new AbortController();
      const response = await fetch("/", { signal: controller.signal });
      const reader = response.body.getReader();
      const first = new TextDecoder().decode((await reader.read()).value);
      controller.abort();
      return reader.read().then(
        () => ["no error"],
        (error: Error) => [`threw ${error.name}: ${error.message}`, first],
      );
    },
    answer(exchange) {
      noteClose(exchange);
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    },
    gets: ["threw AbortError: The operation was aborted"],
    notes: 1,
  },
  {
    title: "a body that the Worker cancels",
    ask: async ({ fetch }) => {
      const response = await fetch("/");
      const reader = response.body.getReader();
      const first = new TextDecoder().decode((await reader.read()).value);
      await reader.cancel("enough");
      return [`${response.status}`, first];
    },
    answer(exchange) {
      noteClose(exchange);
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    },
    gets: ["200"],
    notes: 1,
  },
  {
    title: "a body that the Worker never reads",
    ask: async ({ fetch }) => [`${(await fetch("/")).status}`],
    answer(exchange) {
      noteClose(exchange);
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
    },
    gets: ["200"],
    notes: 1,
  },
  {
    title: "an abort in the middle of an upload",
    ask: async ({ fetch, see }) => {
      const controller = new AbortController();
      const { readable, writable } = new TransformStream();
      const writer = writable.getWriter();
      void writer.write(new TextEncoder().encode("part")).catch(() => undefined);
      const pending = fetch("/waits", { method: "POST", body: readable, signal: controller.signal });
      await (await fetch("/arrived", { method: "POST" })).text();
      controller.abort();
      return see(pending);
    },
    answer: onceArrived(),
    isUnordered: true,
    gets: ["threw AbortError: The operation was aborted"],
    notes: 1,
  },
];

/** Answers "/arrived" when "/waits" has arrived, and never answers "/waits". */
function onceArrived(): Answer {
  let arrived = Promise.withResolvers<void>();
  return async (exchange) => {
    if (exchange.request.head.includes("/waits")) {
      noteClose(exchange);
      arrived.resolve();
      return;
    }
    await arrived.promise;
    arrived = Promise.withResolvers();
    exchange.send(ok("a"));
  };
}

export const CONNECTION_CASES: readonly ParityCase[] = [...REUSE, ...ABORTS];
