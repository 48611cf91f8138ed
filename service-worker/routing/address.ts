/**
 * Parses hosts, addresses and ports into one normal form. Pure: no I/O, and no platform API but `URL`.
 *
 * Every host goes through `parseHost`, whether it is in the URL of a `fetch()`, the address of a `connect()` or a config.
 * So `0x0a.1` and `10.0.0.1` are the same destination, and so are `EXAMPLE.com.` and `example.com`.
 */

import ipaddr from "ipaddr.js";
import { type Problem, findProblem, isProblem, splitEndpoint } from "./address-text.ts";

export { type Problem, bracketHost, formatEndpoint, isProblem, parsePort } from "./address-text.ts";

export type Host =
  /** Lower case, punycode, no trailing dot. */
  | { type: "name"; text: string }
  /** Dotted decimal or RFC 5952 text; an IPv4-mapped IPv6 address is its IPv4 address. */
  | { type: "ip"; text: string; version: 4 | 6; bytes: readonly number[] };

/** RFC 1035 §2.3.4, without the trailing dot. */
const MAX_NAME_LENGTH = 253;
/** A URL parser writes every IPv4 address in this form. */
const FOUR_PARTS = /^\d+\.\d+\.\d+\.\d+$/;
/** What a URL parser leaves as it is, and so no parser is needed: almost every name, but none in punycode, which has to be checked. */
const PLAIN_NAME = /^(?:[a-z\d_-]+\.)*[a-z][a-z\d_-]*$/;

/**
 * @param text a host as written in a URL or an address; IPv6 with or without brackets
 * @returns its normal form, or why it isn't a host (WHATWG URL §3.5, host parsing)
 */
export function parseHost(text: string): Host | Problem {
  if (PLAIN_NAME.test(text) && text.length <= MAX_NAME_LENGTH && !text.includes("xn--")) return { type: "name", text };
  const plain = readPlainIPv4(text);
  if (plain !== undefined) return { type: "ip", text, version: 4, bytes: plain };

  const problem = findProblem(text);
  if (problem !== undefined) return problem;

  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare.includes(":")) {
    // ipaddr.js would read `::10.0.0.1` as an IPv4-mapped address and `::ffff:010.0.0.1` as octal.
    const url = tryUrl(`http://[${bare}]/`);
    return url === undefined ? { problem: "is not an IPv6 address" } : ipHost(url.hostname.slice(1, -1));
  }
  if (bare !== text) return { problem: "has brackets around something that is not an IPv6 address" };

  const url = tryUrl(`http://${trimDots(text)}/`);
  if (url === undefined || url.port !== "") return { problem: "is not a host name or an IP address" };
  const hostname = url.hostname;
  if (FOUR_PARTS.test(hostname)) return ipHost(hostname);
  if (hostname.length > MAX_NAME_LENGTH) {
    return { problem: `is ${hostname.length} characters long; a name has at most ${MAX_NAME_LENGTH}` };
  }
  if (hostname.split(".").includes("")) return { problem: "has an empty label" };
  return { type: "name", text: hostname };
}

const DOT = ".".charCodeAt(0);
const ZERO = "0".charCodeAt(0);

/** @returns undefined for what has to be parsed: each part may also be octal, hexadecimal or left out */
function readPlainIPv4(text: string): number[] | undefined {
  const bytes: number[] = [];
  let byte = -1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const digit = code - ZERO;
    if (code === DOT && byte !== -1) {
      bytes.push(byte);
      byte = -1;
    } else if (digit >= 0 && digit <= 9 && byte !== 0) {
      byte = byte === -1 ? digit : byte * 10 + digit;
      if (byte > 255) return undefined;
    } else {
      return undefined;
    }
  }
  bytes.push(byte);
  return byte !== -1 && bytes.length === 4 ? bytes : undefined;
}

export interface Endpoint {
  host: Host;
  /** 1 to 65535. */
  port: number;
}

/** @param address `host:port` or `[v6]:port` */
export function parseEndpoint(address: string): Endpoint | Problem {
  const parts = splitEndpoint(address);
  if (isProblem(parts)) return parts;
  const host = parseHost(parts.host);
  if (isProblem(host)) return { problem: `has a host that ${host.problem}` };
  return { host, port: parts.port };
}

/** Whether no name server is needed, because the host is an address or `localhost`. @param host in normal form */
export function isLiteralHost(host: string): boolean {
  return host === "localhost" || ipaddr.isValid(host);
}

/** Whether it is `localhost` or a name below it, which mean loopback without any name server (RFC 6761 §6.3). @param host in normal form */
export function isLocalhostName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

/** The addresses of loopback that `localhost` stands for, in normal form. */
const LOOPBACK: readonly Host[] = ["127.0.0.1", "::1"].map(ipHost);

/** The system dials loopback for these, too. */
const UNSPECIFIED = new Set(["0.0.0.0", "::"]);

/** @returns the addresses of loopback, if this host is dialled there although it is none of them; else none */
export function loopbackBehind({ text }: Host): readonly Host[] {
  return UNSPECIFIED.has(text) || isLocalhostName(text) ? LOOPBACK : [];
}

/**
 * Clears all bits after `prefix`.
 *
 * @param bytes 4 or 16 bytes, most significant first
 */
export function maskBytes(bytes: readonly number[], prefix: number): number[] {
  return bytes.map((byte, index) => {
    const kept = Math.min(Math.max(prefix - index * 8, 0), 8);
    return byte & (0xff << (8 - kept)) & 0xff;
  });
}

function ipHost(text: string): Host {
  const address = ipaddr.process(text);
  return {
    type: "ip",
    text:
      address.kind() === "ipv6"
        ? ipaddr.IPv6.parse(address.toNormalizedString()).toRFC5952String()
        : address.toString(),
    version: address.kind() === "ipv6" ? 6 : 4,
    bytes: address.toByteArray(),
  };
}

/** Removes dots at the end, including those of other scripts, which mean the same in a URL (UTS 46 §2.3). */
function trimDots(name: string): string {
  return name.replace(/[.\u3002\uff0e\uff61]+$/, "");
}

function tryUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
