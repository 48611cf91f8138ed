/** Sends requests to the egress proxy as the service worker does, as raw bytes or with Node's HTTP client. */

import { once } from "node:events";
import http from "node:http";
import type net from "node:net";

import { type DialTarget, dial } from "../../plugin/egress/connections/dial.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import {
  type EgressFailure,
  type EgressLimits,
  type EgressOrder,
  type EgressProbe,
  type EgressTcpTarget,
  FAILURE_HEADER,
  ORDER_HEADER,
  SECRET_HEADER,
} from "../../service-worker/routing/egress-protocol.ts";

export interface RawConnection extends AsyncDisposable {
  socket: net.Socket;
  /** Everything received so far, one character per byte. */
  readonly received: string;
  /** Whether the proxy has ended its half. */
  readonly isEnded: boolean;
}

/** A plain connection to the proxy that stays half-open. */
export async function openRaw(): Promise<RawConnection> {
  const { address } = await egressProxy();
  // Like workerd, and unlike net.connect(), this socket reads to the end even if a write fails.
  const socket = dial(toTarget(address), { limits: { connectTimeout: 5000, dnsTimeout: 5000 }, allowHalfOpen: true });
  let received = "";
  let isEnded = false;
  socket.on("data", (chunk) => (received += chunk.toString("latin1")));
  socket.on("end", () => (isEnded = true));
  socket.on("error", () => (isEnded = true));
  await once(socket, "connect");
  return {
    socket,
    get received() {
      return received;
    },
    get isEnded() {
      return isEnded;
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

/** The two header lines that turn a request into an order, with line breaks. */
export async function orderLines(order: EgressOrder): Promise<string> {
  const { secret } = await egressProxy();
  return `${SECRET_HEADER}: ${secret}\r\n${ORDER_HEADER}: ${JSON.stringify(order)}\r\n`;
}

/** Keeps connections, as workerd does. */
const agent = new http.Agent({ keepAlive: true });

export interface AskOptions extends http.RequestOptions {
  order: EgressOrder;
}

/** Starts a request. The caller writes the body and ends it. */
export async function openRequest({ order, headers, ...options }: AskOptions): Promise<http.ClientRequest> {
  const { address, secret } = await egressProxy();
  const request = http.request({
    ...toRequest(address),
    agent,
    maxHeaderSize: 1024 * 1024,
    ...options,
    headers: {
      ...(headers as http.OutgoingHttpHeaders),
      [SECRET_HEADER]: secret,
      [ORDER_HEADER]: JSON.stringify(order),
    },
  });
  return request;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
  failure: EgressFailure | undefined;
}

/** Sends a request and reads the whole response. @throws if the response is cut off */
export async function ask(options: AskOptions & { body?: string }): Promise<Answer> {
  const { body, ...rest } = options;
  const request = await openRequest(rest);
  request.end(body && Buffer.from(body));
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  return readAnswer(response);
}

export async function readAnswer(response: http.IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const failure = response.headers[FAILURE_HEADER];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString("latin1"),
    failure: typeof failure === "string" ? (JSON.parse(failure) as EgressFailure) : undefined,
  };
}

/** An order to forward to a port of `127.0.0.1`. @param limits default: five seconds to connect, no other limit */
export function httpTo(port: number, limits: Partial<EgressLimits> = {}): EgressOrder & { op: "http" } {
  return { op: "http", ...toLoopback(port, limits) };
}

export function tcpTo(port: number, limits: Partial<EgressLimits> = {}): EgressOrder & { op: "tcp" } {
  return { op: "tcp", ...toLoopback(port, limits) };
}

function toLoopback(port: number, limits: Partial<EgressLimits>): { target: EgressTcpTarget; limits: EgressLimits } {
  const target: EgressTcpTarget = { type: "address", host: "127.0.0.1", port };
  return { target, limits: { connectTimeout: 5000, dnsTimeout: 5000, ...limits } };
}

/** @returns why the response to the order with this `exchangeId` broke off, or null if nothing is known */
export async function failureOfExchange(exchangeId: string): Promise<EgressFailure | null> {
  const { body } = await ask({ order: { op: "failure", exchangeId } });
  return (JSON.parse(body) as EgressProbe).failure;
}

function toTarget(address: string): DialTarget {
  if (address.startsWith("unix:")) return { type: "unix", path: address.slice("unix:".length) };
  const [host = "", port] = address.split(":");
  return { type: "address", host, port: Number(port) };
}

function toRequest(address: string): http.RequestOptions {
  const target = toTarget(address);
  return target.type === "unix" ? { socketPath: target.path } : { host: target.host, port: target.port };
}
