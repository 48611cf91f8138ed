/**
 * The egress proxy: the Node side of `egress-protocol.ts`. Listens where only this user has access,
 * accepts only requests with the secret, and passes each order to `orders.ts`, which finds the file that carries it out.
 * Never keeps the process alive, and decides nothing about routes.
 *
 *   service worker ──unix socket──▶ │ http ──▶ forward.ts ─────────▶ target
 *                                   │ tcp ───▶ splice.ts ──────────▶ target
 *                                   │ either ▶ function-target.ts
 *                                   │ probe ─▶ dial.ts      reset ─▶ reset.ts
 */

import { randomBytes } from "node:crypto";
import http from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import type { Duplex } from "node:stream";

import { SECRET_HEADER } from "../../service-worker/routing/egress-protocol.ts";
import type { VpcFunctionTarget } from "../config.ts";
import { sendRawFailure } from "./egress-error.ts";
import { formatPlace, listenPrivately } from "../system/listen.ts";
import { isSecret } from "../system/secret.ts";
import { MAX_HEADER_SIZE } from "./http/forward.ts";
import { type Lanes, createLanes } from "./lanes.ts";
import { createNodeSockets } from "./node-sockets.ts";
import { EGRESS_SOCKET, makePrivateDirectory } from "./private-directory.ts";
import type { StandIn } from "../stand-ins/stand-in.ts";
import { createRegistry } from "./registry.ts";
import { type TableFeed, createTableFeeds } from "./table-feed.ts";
import { responseOn } from "./http/upgrade.ts";
import { type Known, answer, connect } from "./orders.ts";

export interface EgressProxy extends Omit<Known, "feeds" | "lanes"> {
  /** For workerd's `external.address`: `unix:/…` or `127.0.0.1:port`. */
  address: string;
  secret: string;
  /** Opens the feed that sends the tables of later edits to a running service worker. */
  openTableFeed(): TableFeed;
  /** Makes the lanes of a session. @param feedId of its feed */
  openLanes(feedId: string): Lanes;
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
  const scenarios: Known["scenarios"] = new Map();
  const nativeTls: Known["nativeTls"] = new Map();
  const testFunctions: Known["testFunctions"] = new Map();
  const nodeSockets = createNodeSockets();
  const privateDirectory = await makePrivateDirectory();
  const lanes = createLanes(privateDirectory);
  const server = createServer(secret, {
    functions,
    standIns,
    feeds,
    lanes,
    scenarios,
    nativeTls,
    testFunctions,
    nodeSockets,
  });
  const address = formatPlace(await listenPrivately(server, path.join(privateDirectory, EGRESS_SOCKET)));
  return {
    address,
    secret,
    functions,
    standIns,
    openTableFeed: feeds.open,
    openLanes: lanes.open,
    scenarios,
    nativeTls,
    testFunctions,
    nodeSockets,
    privateDirectory,
  };
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
