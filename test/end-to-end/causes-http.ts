/** Causes of failures after the connection: refused requests and invalid responses. */

import type net from "node:net";
import { startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { type Cause, type Causes, SERVICE, directly, throughEgress } from "./cause.ts";

/** A target that answers each request with these bytes and, if `isOver`, closes the connection. */
async function answering(
  stack: AsyncDisposableStack,
  text: string,
  { isOver = true }: { isOver?: boolean } = {},
): Promise<number> {
  const serve = (socket: net.Socket): void =>
    void socket.once("data", () => (isOver ? socket.end(text) : socket.write(text)));
  return stack.use(await startTcpServer(serve)).port;
}

/** The same cause on both paths. */
function onBothPaths(
  what: string,
  { text, says, isOver = true, ...more }: { text: string; isOver?: boolean } & Pick<Cause, "says"> & Partial<Cause>,
): Causes {
  return {
    [`${what}, direct path`]: async (stack) => directly(await answering(stack, text, { isOver }), says, more),
    [`${what}, egress proxy`]: async (stack) => throughEgress(await answering(stack, text, { isOver }), says, more),
  };
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const LONG = "x".repeat(70_000);

export const NOT_HTTP: Causes = {
  ...onBothPaths("garbage", { text: "SSH-2.0-OpenSSH_9.2\r\n", says: "not HTTP" }),
  ...onBothPaths("an unknown HTTP version and a line of colons", {
    text: "HTTP/9.9 000\r\n:::\r\n\r\n",
    says: "not HTTP",
  }),
  ...onBothPaths("a control character in the status line", {
    text: "HTTP/1.1 200 O\u0001K\r\nContent-Length: 2\r\n\r\nhi",
    says: "statusMessage",
  }),
  ...onBothPaths("a head that is too long", {
    text: `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(600_000)}\r\nContent-Length: 0\r\n\r\n`,
    says: "takes at most 417792 bytes",
    variesOnLane: true,
  }),
  ...onBothPaths("too many fields", {
    text: `HTTP/1.1 200 OK\r\n${"A: a\r\n".repeat(20_000)}Content-Length: 0\r\n\r\n`,
    says: "16383 fields",
  }),
  "a broken chunk, egress proxy": async (stack) =>
    throughEgress(await answering(stack, `${CHUNKED}5\r\nwhole\r\nzz\r\n`), /not HTTP|ended too early/, {
      onLane: "http_response_incomplete",
    }),
};

export const INCOMPLETE: Causes = {
  ...onBothPaths("closed in the middle of the head", {
    text: "HTTP/1.1 200 OK\r\nContent-Le",
    says: "ended too early",
  }),
  ...onBothPaths("closed in the middle of a chunked body", {
    text: `${CHUNKED}5\r\nwhole\r\n`,
    says: "ended too early",
  }),
  ...onBothPaths("closed in the middle of a long body", {
    text: `HTTP/1.1 200 OK\r\nContent-Length: 80000\r\n\r\n${LONG}`,
    says: "ended too early",
  }),
  "a broken chunk, direct path": async (stack) =>
    directly(await answering(stack, `${CHUNKED}5\r\nwhole\r\nzz\r\n`), "ended too early"),
};

const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ";

export const UPGRADE_FAILED: Causes = {
  ...onBothPaths("a 101 without Sec-WebSocket-Accept", {
    op: "upgrade",
    text: `${SWITCHING}websocket\r\n\r\n`,
    says: "upgrade",
  }),
  ...onBothPaths("a 101 to another protocol", {
    op: "upgrade",
    text: `${SWITCHING}h2c\r\nSec-WebSocket-Accept: none\r\n\r\n`,
    says: "upgrade",
  }),
};

const IMPATIENT = { readTimeout: 200 };

export const READ_TIMED_OUT: Causes = {
  "no answer": async (stack) =>
    directly(stack.use(await startHttpOrigin(() => undefined)).port, "200 ms", { config: IMPATIENT }),
  "a response that stalls": async (stack) =>
    directly(await answering(stack, `${CHUNKED}5\r\nwhole\r\n`, { isOver: false }), "200 ms", { config: IMPATIENT }),
  "no answer, with the limit in the route": async (stack) => {
    const { port } = stack.use(await startHttpOrigin(() => undefined));
    const routes = { "a.internal": { target: `127.0.0.1:${port}`, ...IMPATIENT } };
    return directly(port, "200 ms", { routes, config: { readTimeout: 100_000 } });
  },
  "no answer, with the limit in the service's record": async (stack) => {
    const origin = stack.use(await startHttpOrigin(() => undefined));
    const host = { ipv4: "10.0.0.1", network: { tunnel_id: "550e8400-e29b-41d4-a716-446655440000" } };
    const record = { name: "slow", type: "http", host, target: `127.0.0.1:${origin.port}`, ...IMPATIENT } as const;
    return {
      op: "service",
      argument: "http://slow.internal/",
      config: { readTimeout: 100_000, services: { [SERVICE]: record } },
      says: "200 ms",
    };
  },
};

export const WRITE_TIMED_OUT: Causes = {
  "does not read a large upload": async (stack) => {
    const server = stack.use(await startTcpServer((socket) => void socket.pause()));
    return directly(server.port, "200 ms", { op: "upload", config: { writeTimeout: 200 } });
  },
};

export const REQUEST_ERROR: Causes = {
  "a method that a web Request can't have": () =>
    directly(1, "TRACE", { op: "trace", routes: { "a.internal": () => new Response() } }),
};
