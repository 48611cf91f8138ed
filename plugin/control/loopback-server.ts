/**
 * An HTTP server for this user's own programs and browser: only who knows its token, and comes to this machine by its own
 * name, gets past the door.
 *
 *   program, page ── /<token>/path ──▶ door: token, Host, Origin ──▶ the first API that has the path
 */

import http, { type IncomingMessage, type ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { responseOn } from "../egress/http/upgrade.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { messageOf } from "../system/error.ts";
import { isSecret } from "../system/secret.ts";
import { type ControlAnswer, ControlError, type ControlRequest } from "./control-request.ts";
import { type TextSocket, acceptTextSocket, asksForTextSocket } from "./text-socket.ts";

/** Undefined: another API may have the path. */
export type Api = (request: ControlRequest) => Promise<ControlAnswer | undefined>;

export interface LoopbackServerOptions {
  scenario: Scenario;
  token: string;
  /** In order. */
  apis: readonly Api[];
  /** What every stranger gets, in words. */
  forbidden: string;
  /** Where a client finds what there is, in words. */
  help: string;
  /** Header fields of every answer. */
  headers?: (port: number) => Record<string, string>;
  /**
   * Its documents name each other by relative addresses, so the token's own path needs a slash at its end. Only they may
   * change something: with their own `Origin`, and JSON if there is a body. They may open sockets.
   */
  isFolder?: true;
}

/** Bytes of a request's body. */
const MAX_BODY = 64 * 1024 * 1024;

/** 144 random bits. */
export function makeToken(): string {
  return randomBytes(18).toString("base64url");
}

export interface LoopbackServer extends http.Server {
  /** Connections that Node no longer counts as its server's. */
  readonly sockets: ReadonlySet<Duplex>;
}

/** It never keeps the process alive. */
export function createLoopbackServer(options: LoopbackServerOptions): LoopbackServer {
  const sockets = new Set<Duplex>();
  const server = http.createServer({ requestTimeout: 0 }, (incoming, outgoing) => {
    outgoing.on("error", () => outgoing.destroy());
    void answerRequest(options, incoming, outgoing);
  });
  if (options.isFolder) {
    server.on("upgrade", (incoming, socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      const outgoing = responseOn(socket, incoming);
      void answerRequest(options, incoming, outgoing, () => {
        outgoing.detachSocket(socket as Socket);
        return acceptTextSocket(incoming, socket);
      });
    });
  }
  server.on("connection", (socket) => socket.unref());
  server.unref();
  return Object.assign(server, { sockets });
}

export function closeServer(server: LoopbackServer): void {
  server.close();
  server.closeAllConnections();
  for (const socket of server.sockets) socket.destroy();
}

/** Never rejects. */
async function answerRequest(
  { scenario, token, apis, forbidden, help, headers, isFolder }: LoopbackServerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  acceptSocket?: () => TextSocket,
): Promise<void> {
  try {
    const { localPort = 0 } = incoming.socket;
    for (const [field, value] of Object.entries(headers?.(localPort) ?? {})) outgoing.setHeader(field, value);
    const path =
      isFolder && mayChange(incoming) && incoming.headers.origin === undefined
        ? undefined
        : pathWithin(incoming, token);
    if (path === undefined) return send(outgoing, { status: 403, json: { error: forbidden, status: 403 } });
    if (isFolder && path === "") return send(outgoing, { status: 308, headers: { Location: `/${token}/` } });
    if (isFolder && incoming.method === "POST" && !isJson(incoming))
      throw new ControlError(415, 'the body must be JSON, and "Content-Type" must say so.');
    const url = new URL(path, "http://control");
    const request: ControlRequest = {
      scenario,
      method: incoming.method ?? "GET",
      path: url.pathname,
      query: url.searchParams,
      outgoing,
      readJson: () => readJson(incoming),
      ...(acceptSocket && asksForTextSocket(incoming) && { acceptSocket }),
    };
    for (const api of apis) {
      const answer = await api(request);
      if (answer === "streamed") return;
      if (answer !== undefined) return send(outgoing, answer);
    }
    throw new ControlError(404, `there is no ${request.method} ${request.path}; ${help}`);
  } catch (error) {
    if (outgoing.headersSent) return void outgoing.destroy();
    const status = error instanceof ControlError ? error.status : error instanceof TypeError ? 400 : 500;
    send(outgoing, { status, json: { error: messageOf(error), status } });
  }
}

/** @returns the path after the token; undefined for a stranger, such as a web page */
function pathWithin(incoming: IncomingMessage, token: string): string | undefined {
  const { url = "", socket } = incoming;
  if (!isFromHere(incoming)) return undefined;
  const [, presented = "", rest = ""] = /^\/([^/?]*)(.*)$/s.exec(url) ?? [];
  if (socket.destroyed || !isSecret(presented, token)) return undefined;
  return rest === "" || rest.startsWith("/") ? rest : `/${rest}`;
}

function mayChange({ method }: IncomingMessage): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** A form of another page can't send this type without asking first (Fetch, §2.2.2 "CORS-safelisted request-header"). */
function isJson({ headers }: IncomingMessage): boolean {
  return /^application\/json\s*(?:;|$)/i.test(headers["content-type"] ?? "");
}

/** A page of another origin may follow a link to here, and nothing else. Browsers say so (Fetch Metadata, W3C). */
function isFromHere({ method, headers }: IncomingMessage): boolean {
  const { host, origin, "sec-fetch-site": site = "none", "sec-fetch-mode": mode } = headers;
  if (!isLoopback(host) || (origin !== undefined && origin !== `http://${host}`)) return false;
  return site === "none" || site === "same-origin" || (mode === "navigate" && method === "GET");
}

/** A name that a page has rebound to this machine is none of these. */
function isLoopback(host: string | undefined): boolean {
  return host !== undefined && /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host);
}

async function readJson(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new ControlError(413, `the body is larger than ${MAX_BODY} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (error) {
    throw new ControlError(400, `the body is not JSON: ${messageOf(error)}`);
  }
}

function send(outgoing: ServerResponse, answer: Exclude<ControlAnswer, "streamed">): void {
  const {
    status,
    json,
    text,
    bytes,
    contentType = json === undefined ? "text/plain; charset=utf-8" : "application/json",
  } = answer;
  const body = bytes ?? Buffer.from(json === undefined ? (text ?? "") : JSON.stringify(json));
  const isEmpty = body.length === 0;
  outgoing
    .writeHead(status, {
      ...(status !== 204 && { "Content-Length": body.length }),
      ...(!isEmpty && { "Content-Type": contentType }),
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
      ...answer.headers,
    })
    .end(body);
}
