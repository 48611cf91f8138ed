/** Reads the arguments of `connect()`: the same words for a mistake in a Worker and in Node. */

import { findProblem, isProblem, parsePort, splitEndpoint } from "./address-text.ts";

export interface ConnectAddress {
  /** Without brackets. */
  hostname: string;
  port: number;
}

/** @throws {TypeError} that explains what is wrong with the address */
export function parseConnectAddress(address: unknown): ConnectAddress {
  if (typeof address === "string") {
    const endpoint = splitEndpoint(address);
    if (isProblem(endpoint)) {
      throw new TypeError(`connect(): the address ${JSON.stringify(address)} ${endpoint.problem}; write "host:port".`);
    }
    return { hostname: withoutBrackets(endpoint.host), port: endpoint.port };
  }
  if (typeof address !== "object" || address === null || !("hostname" in address) || !("port" in address)) {
    throw new TypeError('connect(): the address is neither "host:port" nor { hostname, port }.');
  }
  if (typeof address.hostname !== "string") {
    throw new TypeError(`connect(): the hostname is ${String(address.hostname)}, which is not a string.`);
  }
  const hostname = findProblem(address.hostname);
  if (hostname !== undefined) {
    throw new TypeError(`connect(): the hostname ${JSON.stringify(address.hostname)} ${hostname.problem}.`);
  }
  const port = parsePort(typeof address.port === "number" ? address.port : String(address.port));
  if (typeof port === "object") throw new TypeError(`connect(): the address ${port.problem}.`);
  return { hostname: withoutBrackets(address.hostname), port };
}

function withoutBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/** @throws {TypeError} if the options ask for TLS */
export function checkConnectOptions(options: { secureTransport?: unknown } | undefined): void {
  const transport = options?.secureTransport;
  if (transport !== undefined && transport !== "off") {
    throw new TypeError(
      `connect(): secureTransport is ${JSON.stringify(transport)}; a VPC binding supports plaintext TCP only, so leave it out or write "off".`,
    );
  }
}
