/**
 * Speaks to the egress proxy as the service worker does: raw octets, or Node's HTTP client.
 */

import { once } from "node:events";
import http from "node:http";
import type net from "node:net";

import { type DialTarget, dial } from "../../plugin/egress/dial.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import {
  type EgressFailure,
  type EgressLimits,
  type EgressOrder,
  type EgressProbe,
  type EgressTarget,
  FAILURE_HEADER,
  ORDER_HEADER,
  SECRET_HEADER,
} from "../../service-worker/egress-protocol.ts";

export interface RawConnection extends AsyncDisposable {
  socket: net.Socket;
  /** Everything received so far, one character an octet. */
  readonly received: string;
  /** Whether the proxy has ended its half. */
  readonly isEnded: boolean;
}

/** A plain connection to the proxy that stays half-open. */
export async function openRaw(): Promise<RawConnection> {
  const { address } = await egressProxy();
  // Like workerd, and unlike a plain socket of Node's, this one reads to the end whatever its writes meet.
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

/** The two lines that make a request an order, each with its line break. */
export async function orderLines(order: EgressOrder): Promise<string> {
  const { secret } = await egressProxy();
  return `${SECRET_HEADER}: ${secret}\r\n${ORDER_HEADER}: ${JSON.stringify(order)}\r\n`;
}

/** As workerd does: connections are kept. */
const agent = new http.Agent({ keepAlive: true });

export interface AskOptions extends http.RequestOptions {
  order: EgressOrder;
}

/** A request under way; the caller writes the body and ends it. */
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

/** A whole request and its whole answer. @throws if the answer is cut off */
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

/** An order to forward to a port of `127.0.0.1`. @param limits default: five seconds for a connection, else none */
export function httpTo(port: number, limits: Partial<EgressLimits> = {}): EgressOrder & { op: "http" } {
  return { op: "http", ...toLoopback(port, limits) };
}

export function tcpTo(port: number, limits: Partial<EgressLimits> = {}): EgressOrder & { op: "tcp" } {
  return { op: "tcp", ...toLoopback(port, limits) };
}

function toLoopback(port: number, limits: Partial<EgressLimits>): { target: EgressTarget; limits: EgressLimits } {
  const target: EgressTarget = { type: "address", host: "127.0.0.1", port };
  return { target, limits: { connectTimeout: 5000, dnsTimeout: 5000, ...limits } };
}

/** Why the response to an order with this `exchangeId` broke off, if anything is known. */
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
