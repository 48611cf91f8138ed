/**
 * The egress proxy: the Node process's end of `egress-protocol.ts`. Listens where only this user gets
 * to, lets in only who knows the secret, and hands each order to the file that carries it out.
 * Never keeps the process alive; decides nothing about routes.
 *
 *   service worker ──unix socket──▶ │ http ──▶ forward.ts ─────────▶ target
 *                                   │ tcp ───▶ splice.ts ──────────▶ target
 *                                   │ either ▶ function-target.ts
 *                                   │ probe ─▶ dial.ts
 */

import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";

import {
  type EgressFailure,
  type EgressOrder,
  type EgressOwnership,
  type EgressProbe,
  ORDER_HEADER,
  SECRET_HEADER,
} from "../../service-worker/egress-protocol.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { probe } from "./dial.ts";
import { sendFailure, sendRawFailure } from "./failure.ts";
import { messageOf } from "../error.ts";
import { nameExchange, takeFailure } from "./exchange-failures.ts";
import { MAX_HEADER_SIZE, forward } from "./forward.ts";
import {
  type FunctionRegistry,
  answerByFunction,
  connectToFunction,
  createFunctionRegistry,
} from "./function-target.ts";
import { isOwnPort } from "./own-ports.ts";
import { EGRESS_SOCKET, makePrivateDirectory } from "./private-directory.ts";
import { connectToTarget } from "./splice.ts";

export interface EgressProxy {
  /** For workerd's `external.address`: `unix:/…` or `127.0.0.1:port`. */
  address: string;
  secret: string;
  /** Private to this user (0700) and removed on exit; for control sockets too. */
  directory: string;
  /** Replaces the owner's functions; the ones before stay for requests that were already decided. */
  setFunctions(owner: string, functions: ReadonlyMap<string, VpcFunctionTarget>): void;
  /** Lets go of everything of an owner. */
  dropFunctions(owner: string): void;
}

let started: Promise<EgressProxy> | undefined;

/** Started by the first call; one a process. */
export function egressProxy(): Promise<EgressProxy> {
  started ??= start();
  return started;
}

async function start(): Promise<EgressProxy> {
  const secret = randomBytes(32).toString("base64url");
  const functions = createFunctionRegistry();
  const server = createServer(secret, functions);
  const directory = await makePrivateDirectory();
  const address = await listen(server, path.join(directory, EGRESS_SOCKET));
  return { address, secret, directory, setFunctions: functions.set, dropFunctions: functions.drop };
}

async function listen(server: http.Server, socketPath: string): Promise<string> {
  const isWindows = process.platform === "win32";
  if (isWindows) server.listen(0, "127.0.0.1");
  else server.listen(socketPath);
  await once(server, "listening");
  server.unref();
  if (isWindows) return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await chmod(socketPath, 0o600);
  return `unix:${socketPath}`;
}

function createServer(secret: string, functions: FunctionRegistry): http.Server {
  // workerd's pool decides how long a connection stays, and a request may take as long as it likes.
  const timeouts = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  // What workerd has let through is fine.
  const leniency = { maxHeaderSize: MAX_HEADER_SIZE, insecureHTTPParser: true, requireHostHeader: false };
  const server = http.createServer({ ...timeouts, ...leniency });
  server.maxHeadersCount = 0;
  server.on("connection", (socket) => socket.unref());

  const handle = (incoming: IncomingMessage, outgoing: ServerResponse, upgrade?: Duplex): void => {
    outgoing.sendDate = false;
    outgoing.on("error", () => outgoing.destroy());
    if (isSecret(incoming.headers[SECRET_HEADER], secret)) answer({ incoming, outgoing, functions, upgrade });
    else outgoing.writeHead(403, { "Content-Length": 0, Connection: "close" }).end();
  };
  server.on("request", handle);
  // Whether to go on is for the target to say.
  server.on("checkContinue", handle);
  server.on("checkExpectation", handle);

  server.on("upgrade", (incoming, socket, head) => {
    socket.unshift(head);
    handle(incoming, responseOn(socket, incoming), socket);
  });

  server.on("connect", (incoming, socket, head) => {
    socket.on("error", () => socket.destroy());
    socket.unshift(head);
    if (isSecret(incoming.headers[SECRET_HEADER], secret)) connect(incoming, socket, functions);
    else socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", () => socket.destroy());
  });

  server.on("clientError", (error: Error & { rawPacket?: Buffer }, socket) => {
    // A request of the service worker that Node's parser does not take, such as one with an unknown method.
    const presented = new RegExp(`^${SECRET_HEADER}: *(.*)\r$`, "im").exec(error.rawPacket?.toString("latin1") ?? "");
    if (!socket.writable || !isSecret(presented?.[1], secret)) socket.destroy();
    else sendRawFailure(socket, { code: "http_request_error", detail: error.message });
  });
  return server;
}

/** A response for a connection that Node has handed over because of an `Upgrade` field; the last one on it. */
function responseOn(socket: Duplex, incoming: IncomingMessage): ServerResponse {
  const outgoing = new http.ServerResponse(incoming);
  outgoing.shouldKeepAlive = false;
  outgoing.assignSocket(socket as Socket);
  socket.on("error", () => socket.destroy());
  socket.on("drain", () => outgoing.emit("drain"));
  outgoing.once("finish", () => socket.end());
  return outgoing;
}

interface Received {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  functions: FunctionRegistry;
  upgrade: Duplex | undefined;
}

function answer({ incoming, outgoing, functions, upgrade }: Received): void {
  const order = readOrder(incoming);
  if (order.op === "unreadable") return sendFailure(outgoing, order.failure);
  switch (order.op) {
    case "http": {
      const { target, limits, tls, exchangeId, isFresh = false } = order;
      if (exchangeId !== undefined) nameExchange(outgoing, exchangeId);
      if (target.type !== "function") {
        return forward({
          incoming,
          outgoing,
          target,
          limits,
          isFresh,
          ...(tls && { tls }),
          ...(upgrade && { upgrade }),
        });
      }
      void answerByFunction(functions.find(target.functionId), incoming, outgoing);
      return;
    }
    case "probe":
      void answerProbe(order, outgoing);
      return;
    case "failure":
      return sendJson(outgoing, { failure: takeFailure(order.exchangeId) } satisfies EgressProbe);
    case "ownership":
      void isOwnPort(order.port).then((isOwn) => sendJson(outgoing, { isOwn } satisfies EgressOwnership));
      return;
    case "tcp":
      return sendFailure(outgoing, {
        code: "proxy_internal_error",
        detail: `an order for ${order.op} came without CONNECT`,
      });
    default:
      order satisfies never;
  }
}

async function answerProbe({ target, limits }: EgressOrder & { op: "probe" }, outgoing: ServerResponse): Promise<void> {
  const failure = target.type === "function" ? null : await probe(target, { limits });
  sendJson(outgoing, { failure } satisfies EgressProbe);
}

function sendJson(outgoing: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  outgoing.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }).end(body);
}

function connect(incoming: IncomingMessage, socket: Duplex, functions: FunctionRegistry): void {
  const order = readOrder(incoming);
  if (order.op === "unreadable") return sendRawFailure(socket, order.failure);
  if (order.op !== "tcp") {
    const detail = `an order for ${order.op} came with CONNECT`;
    return sendRawFailure(socket, { code: "proxy_internal_error", detail });
  }
  const { target, limits } = order;
  if (target.type === "function") connectToFunction(functions.find(target.functionId), socket);
  else connectToTarget(socket, target, { limits });
}

function readOrder(incoming: IncomingMessage): EgressOrder | { op: "unreadable"; failure: EgressFailure } {
  try {
    // Who knows the secret also knows the protocol: the shape is not checked again.
    return JSON.parse(Buffer.from(String(incoming.headers[ORDER_HEADER]), "latin1").toString()) as EgressOrder;
  } catch (error) {
    const failure: EgressFailure = { code: "proxy_internal_error", detail: `unreadable order: ${messageOf(error)}` };
    return { op: "unreadable", failure };
  }
}

/** In constant time. */
function isSecret(presented: string | string[] | undefined, secret: string): boolean {
  if (typeof presented !== "string" || presented.length !== secret.length) return false;
  return timingSafeEqual(Buffer.from(presented, "latin1"), Buffer.from(secret, "latin1"));
}
