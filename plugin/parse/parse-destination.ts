/**
 * Parses destinations, the left-hand side of a route, into the normal form that `decide` matches.
 */

import {
  type Host,
  type Problem,
  bracketHost,
  formatEndpoint,
  isProblem,
  maskBytes,
  parseHost,
  parsePort,
} from "../../service-worker/routing/address.ts";
import { type Route, type RouteMatch, matchKey } from "../../service-worker/routing/table.ts";
import { splitPort, splitScheme } from "./split-address.ts";

export type DestinationPattern = Pick<Route, "match" | "ports">;

interface DestinationProblem extends Problem {
  /** What to write instead. */
  note: string;
}

const FORMS =
  'A destination is a host name, "*." and a host name, an IP address, a CIDR or "*"; each may end in ":port" or ":from-to".';

/** @param text `users.internal`, `*.internal:80`, `10.0.0.0/8:8000-8999`, `[fd00::1]:80`, `*`, … */
export function parseDestination(text: string): DestinationPattern | DestinationProblem {
  const url = text.includes("://") ? splitScheme(text) : undefined;
  if (url?.rest.startsWith("//")) {
    const bare = url.rest.slice(2).replace(/[/?#].*$/s, "");
    return {
      problem: `has the scheme "${url.scheme}://"`,
      note: `Write "${bare}"; a route applies to every scheme.`,
    };
  }
  const { hostText, portText } = splitPort(text);
  const match = parseMatch(hostText);
  if (isProblem(match)) return match;
  if (portText === undefined) return { match };
  const ports = parsePorts(portText);
  return isProblem(ports) ? ports : { match, ports };
}

function parsePorts(text: string): { from: number; to: number } | DestinationProblem {
  const note = 'Write one port, as in ":8080", or a range, as in ":8000-8999".';
  const [fromText = "", toText, ...more] = text.split("-");
  const from = parsePort(fromText);
  const to = toText === undefined ? from : parsePort(toText);
  if (typeof from === "object") return { ...from, note };
  if (typeof to === "object") return { ...to, note };
  if (more.length > 0) return { problem: `has the port range "${text}", which is not a range`, note };
  return from <= to
    ? { from, to }
    : { problem: `has the port range ${from}-${to}, which ends before it starts`, note: `Write ":${to}-${from}".` };
}

function parseMatch(text: string): RouteMatch | DestinationProblem {
  if (text === "*") return { type: "any" };
  if (text.startsWith("*")) return parseWildcard(text);
  if (text.includes("*")) {
    return {
      problem: 'has a "*" that is not its first label',
      note: 'A wildcard replaces the first label: "*.internal".',
    };
  }
  if (text === "") return { problem: "has no host", note: FORMS };
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare.includes("/")) return parseCidr(bare);
  const host = parseHost(text);
  if (isProblem(host)) return { problem: host.problem, note: FORMS };
  return host.type === "name"
    ? { type: "name", name: host.text }
    : { type: "cidr", address: host.text, prefix: host.version === 4 ? 32 : 128 };
}

function parseWildcard(text: string): RouteMatch | DestinationProblem {
  const suffix = text.slice(2);
  if (!text.startsWith("*.") || suffix.includes("*")) {
    return { problem: "is not a wildcard", note: 'A wildcard replaces the first label: "*.internal".' };
  }
  const host = parseHost(suffix);
  if (isProblem(host)) return { problem: `has a suffix that ${host.problem}`, note: FORMS };
  return host.type === "name"
    ? { type: "wildcard", suffix: host.text }
    : { problem: "is a wildcard for addresses", note: 'Write a CIDR, such as "10.0.0.0/8".' };
}

function parseCidr(text: string): RouteMatch | DestinationProblem {
  const slash = text.indexOf("/");
  const addressText = text.slice(0, slash);
  const prefixText = text.slice(slash + 1);
  const host = parseHost(addressText);
  if (isProblem(host)) return { problem: `is a CIDR whose address ${host.problem}`, note: FORMS };
  if (host.type === "name") {
    return { problem: "has a path", note: `Write "${addressText}"; a route applies to every path.` };
  }
  const bits = addressText.includes(":") ? 128 : 32;
  if (!/^\d{1,3}$/.test(prefixText) || Number(prefixText) > bits) {
    return { problem: `has the prefix "/${prefixText}"`, note: `A prefix is a number from /0 to /${bits}.` };
  }
  const octets = addressText.split(".");
  if (bits === 32 && octets.length < 4) {
    // Ambiguous: a URL parser reads 10.1 as 10.0.0.1, but in a CIDR people mean 10.1.0.0.
    const padded = [...octets, "0", "0", "0"].slice(0, 4).join(".");
    return { problem: "is a CIDR with a shortened address", note: `Write "${padded}/${prefixText}".` };
  }
  return checkHostBits(host, Number(prefixText), bits);
}

/** @param bits the length of the address as written: 128 for an IPv4-mapped one, which `host` holds as IPv4 */
function checkHostBits(host: Host & { type: "ip" }, written: number, bits: number): RouteMatch | DestinationProblem {
  const prefix = written - (bits - host.bytes.length * 8);
  if (prefix < 0) {
    return {
      problem: "is wider than the IPv4-mapped addresses",
      note: 'Write the IPv4 CIDR itself, such as "0.0.0.0/0".',
    };
  }
  const masked = maskBytes(host.bytes, prefix);
  if (masked.every((byte, index) => byte === host.bytes[index])) return { type: "cidr", address: host.text, prefix };
  const network = formatBytes(masked);
  return {
    problem: `has bits set after its prefix /${written}`,
    note: `Write "${network}/${prefix}" for the network, or "${host.text}" for the one address.`,
  };
}

function formatBytes(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((bytes[index * 2] ?? 0) * 256 + (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  const host = parseHost(groups.join(":"));
  return "text" in host ? host.text : groups.join(":");
}

/** @param text of a route, which is a destination without a mistake. @returns whether it is for what no other route holds */
export function isForRest(text: string): boolean {
  return text === "*" || text.startsWith("*:");
}

/** Formats a destination in its normal form, for messages. */
export function formatDestination({ match, ports }: DestinationPattern): string {
  const isSingle = match.type === "cidr" && match.prefix === (match.address.includes(":") ? 128 : 32);
  const host = match.type === "cidr" && isSingle ? match.address : matchKey(match);
  if (ports === undefined) return host;
  if (ports.from === ports.to) return formatEndpoint(host, ports.from);
  return `${bracketHost(host)}:${ports.from}-${ports.to}`;
}
