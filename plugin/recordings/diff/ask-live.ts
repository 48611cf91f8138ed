/** Sends a recorded request to its target, as the egress proxy would, and reads the whole answer. */

import { once } from "node:events";
import http from "node:http";
import type net from "node:net";

import { dial } from "../../egress/connections/dial.ts";
import { EgressError, classify } from "../../egress/egress-error.ts";
import type { Field } from "../../egress/http/headers.ts";
import { toFields } from "../../egress/http/headers.ts";
import { describeNoResponse } from "../../egress/http/response-failure.ts";
import { type TlsTerms, dialTls, termsFor } from "../../egress/tls/tls.ts";
import type { PresentedCertificate } from "../../system/certificates.ts";
import { decodeBody } from "../decode-body.ts";
import { valueOf } from "../request-key.ts";
import type { LiveTarget } from "./live-target.ts";

export interface LiveRequest {
  method: string;
  url: URL;
  headers: readonly Field[];
  body: Buffer;
}

export interface LiveAnswer {
  status: number;
  headers: readonly Field[];
  /** Without its content encoding. */
  body: Buffer;
}

/** They belong to the recorded connection, or follow from the body (RFC 9110 §7.6.1). */
const NOT_SENT = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "host",
  "content-length",
]);

/** Milliseconds, if the vpc config has no `readTimeout`: a diff must end. */
const PATIENCE = 30_000;

/** @throws {EgressError} if there is no answer */
export async function askLive(request: LiveRequest, live: LiveTarget): Promise<LiveAnswer> {
  let socket: net.Socket | undefined;
  try {
    const terms = live.tls && termsFor(live.target, live.tls);
    socket = await open(live, terms);
    const patience = live.limits.readTimeout ?? PATIENCE;
    const response = await send(request, { socket, patience, client: terms?.trust.client });
    const headers = toFields(response.rawHeaders);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const body = decodeBody(Buffer.concat(chunks), valueOf(headers, "content-encoding") ?? "");
    return { status: response.statusCode ?? 0, headers, body };
  } catch (error) {
    if (error instanceof EgressError) throw error;
    throw new EgressError(classify(error));
  } finally {
    socket?.destroy();
  }
}

async function open({ target, limits }: LiveTarget, terms: TlsTerms | undefined): Promise<net.Socket> {
  if (terms !== undefined) return dialTls(target, { terms, limits });
  const socket = dial(target, { limits });
  await once(socket, "connect");
  return socket;
}

async function send(
  { method, url, headers, body }: LiveRequest,
  { socket, patience, client }: { socket: net.Socket; patience: number; client: PresentedCertificate | undefined },
): Promise<http.IncomingMessage> {
  const fields = headers.filter(([name]) => !NOT_SENT.has(name.toLowerCase()));
  const length: Field[] =
    body.length > 0 || method === "POST" || method === "PUT" ? [["Content-Length", String(body.length)]] : [];
  const request = http.request({
    createConnection: () => socket,
    method,
    path: url.pathname + url.search,
    headers: [["Host", url.host], ...fields, ...length].flat(),
    setDefaultHeaders: false,
  });
  const silent = { code: "connection_read_timeout", detail: `there was no answer within ${patience} ms` } as const;
  // Also between two pieces of the answer.
  request.setTimeout(patience, () => request.destroy(new EgressError(silent)));
  request.end(body);
  try {
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    return response;
  } catch (error) {
    throw new EgressError(describeNoResponse(error, { received: socket.bytesRead, isUpgrade: false, client }));
  }
}
