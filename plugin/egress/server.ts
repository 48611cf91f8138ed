/**
 * The egress proxy: the Node side of `egress-protocol.ts`. Listens where only this user has access,
 * accepts only requests with the secret, and passes each order to the file that carries it out.
 * Never keeps the process alive, and decides nothing about routes.
 *
 *   service worker ──unix socket──▶ │ http ──▶ forward.ts ─────────▶ target
 *                                   │ tcp ───▶ splice.ts ──────────▶ target
 *                                   │ either ▶ function-target.ts
 *                                   │ probe ─▶ dial.ts      reset ─▶ reset.ts
 */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";

import {
  type CommandAnswer,
  type EgressFailure,
  type EgressOrder,
  type EgressOwnership,
  type EgressProbe,
  type EgressTable,
  type NodeSocketState,
  ORDER_HEADER,
  SECRET_HEADER,
} from "../../service-worker/routing/egress-protocol.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { probe } from "./dial.ts";
import { classify, sendFailure, sendRawFailure } from "./egress-error.ts";
import { messageOf } from "../system/error.ts";
import { isSecret } from "../system/secret.ts";
import { nameExchange, takeFailure } from "./exchange-failures.ts";
import { MAX_HEADER_SIZE, forward } from "./forward.ts";
import { answerByFunction, connectToFunction } from "./function-target.ts";
import { type NodeSockets, createNodeSockets } from "./node-sockets.ts";
import { isOwnPort } from "./own-port.ts";
import { EGRESS_SOCKET, makePrivateDirectory } from "./private-directory.ts";
import { carryOutRequest } from "./observed/http.ts";
import { answerProceeding, endProceeding, watchCaller } from "./observed/proceed.ts";
import { attachConnection, carryOutConnection, failConnection, findProceeding } from "./observed/tcp.ts";
import { attachSocket } from "./observed/socket-tunnel.ts";
import { answerOtherProcess, connectOtherProcess } from "./observed/remote-function.ts";
import { readBody } from "./observed/replay.ts";
import { runCommand } from "../scenario/commands.ts";
import type { RuleFunction } from "../scenario/rule-function.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { StandIn } from "../stand-ins/stand-in.ts";
import { type Registry, createRegistry } from "./registry.ts";
import { listenToReset } from "./reset.ts";
import { connectToTarget } from "./splice.ts";
import { answerByStandIn } from "./stand-in-target.ts";
import { type TableFeed, type TableFeeds, createTableFeeds } from "./table-feed.ts";
import { responseOn } from "./upgrade.ts";

export interface EgressProxy {
  /** For workerd's `external.address`: `unix:/…` or `127.0.0.1:port`. */
  address: string;
  secret: string;
  /** The functions and the stand-ins of the vpc configs. */
  functions: Registry<VpcFunctionTarget>;
  standIns: Registry<StandIn>;
  /** Opens the feed that sends the tables of later edits to a running service worker. */
  openTableFeed(): TableFeed;
  /** The scenario of each session, by the id of its feed. */
  scenarios: Map<string, Scenario>;
  /** Functions of this process's test, which rules of another process's session name. */
  testFunctions: Map<string, RuleFunction & { type: "node" }>;
  /** The sockets of this process's own `connect()` calls. */
  nodeSockets: NodeSockets;
  /** Where this process's sockets are; no other user can enter it. */
  privateDirectory: string;
}

let started: Promise<EgressProxy> | undefined;

/** The first call starts it. There is one per process. If it can't start, the next call tries again. */
export function egressProxy(): Promise<EgressProxy> {
  started ??= start().catch((error: unknown) => {
    started = undefined;
    throw error;
  });
  return started;
}

async function start(): Promise<EgressProxy> {
  const secret = randomBytes(32).toString("base64url");
  const functions = createRegistry<VpcFunctionTarget>();
  const standIns = createRegistry<StandIn>();
  const feeds = createTableFeeds();
  const scenarios: EgressProxy["scenarios"] = new Map();
  const testFunctions: EgressProxy["testFunctions"] = new Map();
  const nodeSockets = createNodeSockets();
  const server = createServer(secret, { functions, standIns, feeds, scenarios, testFunctions, nodeSockets });
  const privateDirectory = await makePrivateDirectory();
  const address = await listen(server, path.join(privateDirectory, EGRESS_SOCKET));
  return {
    address,
    secret,
    functions,
    standIns,
    openTableFeed: feeds.open,
    scenarios,
    testFunctions,
    nodeSockets,
    privateDirectory,
  };
}

/**
 * Connections that wait while this process is busy; the system may allow fewer. A Unix socket refuses those beyond at once
 * (EAGAIN), and Node's default of 511 is less than what one request of a Worker can begin.
 */
const BACKLOG = 16_384;

async function listen(server: http.Server, socketPath: string): Promise<string> {
  const isWindows = process.platform === "win32";
  if (isWindows) server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG });
  else server.listen({ path: socketPath, backlog: BACKLOG });
  await once(server, "listening");
  server.unref();
  if (isWindows) return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await chmod(socketPath, 0o600);
  return `unix:${socketPath}`;
}

/** What orders refer to. */
interface Known extends Pick<EgressProxy, "functions" | "standIns" | "scenarios" | "testFunctions" | "nodeSockets"> {
  feeds: TableFeeds;
}

function createServer(secret: string, known: Known): http.Server {
  // workerd's pool decides how long a connection stays open, and a request may take any time.
  const timeouts = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
  // Accept whatever workerd lets through.
  const leniency = { maxHeaderSize: MAX_HEADER_SIZE, insecureHTTPParser: true, requireHostHeader: false };
  const server = http.createServer({ ...timeouts, ...leniency });
  server.maxHeadersCount = 0;
  server.on("connection", (socket) => socket.unref());

  const handle = (incoming: IncomingMessage, outgoing: ServerResponse, upgrade?: Duplex): void => {
    outgoing.sendDate = false;
    outgoing.on("error", () => outgoing.destroy());
    if (isSecret(incoming.headers[SECRET_HEADER], secret)) answer({ incoming, outgoing, known, upgrade });
    else outgoing.writeHead(403, { "Content-Length": 0, Connection: "close" }).end();
  };
  server.on("request", handle);
  // The target decides whether the client may continue.
  server.on("checkContinue", handle);
  server.on("checkExpectation", handle);

  server.on("upgrade", (incoming, socket, head) => {
    socket.unshift(head);
    handle(incoming, responseOn(socket, incoming), socket);
  });

  server.on("connect", (incoming, socket, head) => {
    socket.on("error", () => socket.destroy());
    socket.unshift(head);
    if (isSecret(incoming.headers[SECRET_HEADER], secret)) connect(incoming, socket, known);
    else socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", () => socket.destroy());
  });

  server.on("clientError", (error: Error & { rawPacket?: Buffer }, socket) => {
    // A request of the service worker that Node's parser refuses, such as one with an unknown method.
    const presented = new RegExp(`^${SECRET_HEADER}: *(.*)\r$`, "im").exec(error.rawPacket?.toString("latin1") ?? "");
    if (!socket.writable || !isSecret(presented?.[1], secret)) socket.destroy();
    else sendRawFailure(socket, { code: "http_request_error", detail: error.message });
  });
  return server;
}

interface Received {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  known: Known;
  upgrade: Duplex | undefined;
}

function answer({ incoming, outgoing, known, upgrade }: Received): void {
  const order = readOrder(incoming);
  if (order.op === "unreadable") return sendFailure(outgoing, order.failure);
  switch (order.op) {
    case "http": {
      const { target, limits, tls, exchangeId, isFresh = false } = order;
      if (exchangeId !== undefined) nameExchange(outgoing, exchangeId);
      if (target.type === "function") {
        return void answerByFunction(known.functions.find(target.functionId), incoming, outgoing);
      }
      if (target.type === "stand-in") {
        const asked = { scheme: target.scheme, note() {} };
        const standIn = known.standIns.find(target.standInId);
        return void answerByStandIn(standIn, { incoming, outgoing, upgrade, ...asked });
      }
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
    case "probe":
      void answerProbe(order, outgoing);
      return;
    case "failure":
      return sendJson(outgoing, { failure: takeFailure(order.exchangeId) } satisfies EgressProbe);
    case "goal":
      return sendJson(outgoing, known.scenarios.get(order.feedId)?.goals.describe(order.exchangeId) ?? null);
    case "reset":
      void listenToReset().then(
        (reset) => sendJson(outgoing, reset),
        (error: unknown) => sendFailure(outgoing, classify(error)),
      );
      return;
    case "ownership":
      void isOwnPort(order.port).then((isOwn) => sendJson(outgoing, { isOwn } satisfies EgressOwnership));
      return;
    case "table":
      return known.feeds.answer(order, outgoing, (table) => sendJson(outgoing, { table } satisfies EgressTable));
    case "observed": {
      const { call, exchangeId } = order;
      const scenario = known.scenarios.get(call.feedId);
      if (scenario === undefined) return sendFailure(outgoing, SESSION_OVER);
      nameExchange(outgoing, exchangeId);
      void carryOutRequest({ ...known, incoming, outgoing, upgrade, call, exchangeId, scenario });
      return;
    }
    case "answer":
      nameExchange(outgoing, order.exchangeId);
      return answerProceeding(order, incoming, outgoing);
    case "outcome":
      if (order.outcome.type === "threw") failConnection(order.exchangeId, order.outcome.text);
      return sendJson(outgoing, endProceeding(order));
    case "presence":
      return watchCaller(order.exchangeId, outgoing);
    case "proceed":
      return sendJson(outgoing, findProceeding(order.exchangeId) ?? null);
    case "node-gone": {
      const { socketId, isPatient } = order;
      const { isGone, whenGone } = known.nodeSockets;
      if (!isPatient) return sendJson(outgoing, { isGone: isGone(socketId) } satisfies NodeSocketState);
      return whenGone(socketId, () => sendJson(outgoing, { isGone: true } satisfies NodeSocketState));
    }
    case "node-end":
      known.nodeSockets.end(order.socketId, order.isBroken);
      return sendJson(outgoing, null);
    case "scenario":
      void answerCommand(known.scenarios.get(order.feedId), incoming).then((result) => sendJson(outgoing, result));
      return;
    case "respond-by":
      return answerOtherProcess(order, { incoming, outgoing, functions: known.testFunctions });
    case "tcp":
    case "observed-tcp":
    case "attach":
    case "attach-socket":
    case "connect-by":
    case "node-socket":
      return sendFailure(outgoing, {
        code: "proxy_internal_error",
        detail: `an order for ${order.op} came without CONNECT`,
      });
    default:
      order satisfies never;
  }
}

async function answerProbe({ target, limits }: EgressOrder & { op: "probe" }, outgoing: ServerResponse): Promise<void> {
  const failure = target.type === "function" || target.type === "stand-in" ? null : await probe(target, { limits });
  sendJson(outgoing, { failure } satisfies EgressProbe);
}

function sendJson(outgoing: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  outgoing.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }).end(body);
}

function connect(incoming: IncomingMessage, socket: Duplex, known: Known): void {
  const { functions, scenarios, testFunctions } = known;
  const order = readOrder(incoming);
  if (order.op === "unreadable") return sendRawFailure(socket, order.failure);
  if (order.op === "attach") return attachConnection(order.exchangeId, socket);
  if (order.op === "attach-socket") return attachSocket(order.exchangeId, socket);
  if (order.op === "node-socket") return known.nodeSockets.attach(order.socketId, socket);
  if (order.op === "connect-by") return connectOtherProcess(order, socket, testFunctions);
  if (order.op === "observed-tcp") {
    const { call, exchangeId } = order;
    const scenario = scenarios.get(call.feedId);
    if (scenario === undefined) return sendRawFailure(socket, SESSION_OVER);
    void carryOutConnection({ socket, call, exchangeId, scenario, functions });
    return;
  }
  if (order.op !== "tcp") {
    const detail = `an order for ${order.op} came with CONNECT`;
    return sendRawFailure(socket, { code: "proxy_internal_error", detail });
  }
  const { target, limits, exchangeId } = order;
  if (target.type === "function") connectToFunction(functions.find(target.functionId), socket, { exchangeId });
  else connectToTarget(socket, target, { limits, exchangeId });
}

const SESSION_OVER: EgressFailure = { code: "proxy_internal_error", detail: "the session of this call has ended" };

/** Never rejects. */
async function answerCommand(scenario: Scenario | undefined, incoming: IncomingMessage): Promise<CommandAnswer> {
  if (scenario === undefined) return { error: SESSION_OVER.detail };
  try {
    return { result: await runCommand(scenario, JSON.parse((await readBody(incoming)).toString())) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function readOrder(incoming: IncomingMessage): EgressOrder | { op: "unreadable"; failure: EgressFailure } {
  try {
    // A client that knows the secret also knows the protocol, so the shape isn't checked.
    return JSON.parse(Buffer.from(String(incoming.headers[ORDER_HEADER]), "latin1").toString()) as EgressOrder;
  } catch (error) {
    const failure: EgressFailure = { code: "proxy_internal_error", detail: `unreadable order: ${messageOf(error)}` };
    return { op: "unreadable", failure };
  }
}
