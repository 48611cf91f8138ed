/**
 * Parses the host of a VPC Service's record: checks that it has one of the four forms, and the rules of a hostname.
 */

import { isIP } from "node:net";

import { type Host, type Problem, isProblem, parseHost, parsePort } from "../../service-worker/routing/address.ts";
import type { Checked } from "./check-fields.ts";
import type { ServiceEntry, ServiceHost } from "../config.ts";
import { type Report, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { splitPort, splitScheme } from "./split-address.ts";

const FORMS = 'A host is "ipv4", "ipv6" or both with "network", or "hostname" with "resolver_network".';

export interface HostModel {
  /** In normal form: a name, an address, or IPv4 followed by IPv6. */
  hosts: string[];
  tunnelId: string;
  /** Addresses in normal form. */
  resolvers: string[];
  /** The port in a tcp hostname such as `db.internal:5432`. */
  port?: number;
}

interface HostContext {
  /** The path of the `host` object. */
  at: Path;
  /** Undefined: it is missing or wrong, which is reported. */
  type: ServiceEntry["type"] | undefined;
  /** Whether a field of the host is missing or wrong, which is reported. */
  isBroken: boolean;
  report: Report;
}

/** @returns undefined if something is wrong with the host; every problem is reported */
export function parseServiceHost(host: Checked<ServiceHost>, context: HostContext): HostModel | undefined {
  const { at, type, isBroken, report } = context;
  const isFormed = isBroken || checkForm(host, at, report);
  const name = isAbsent(host.hostname) ? undefined : parseHostname(host.hostname, type);
  if (name !== undefined && "problems" in name) {
    report({
      code: "invalid-hostname",
      text: `${quote(host.hostname)} is not a host name: it ${joinProblems(name.problems)}`,
      at: [...at, "hostname"],
      notes: [name.note],
    });
    return undefined;
  }
  const tunnelId = (host.network ?? host.resolver_network)?.tunnel_id?.toLowerCase();
  if (isBroken || !isFormed || tunnelId === undefined) return undefined;
  const resolvers = (host.resolver_network?.resolver_ips ?? []).flatMap((address) => normalAddress(address));
  if (name !== undefined) {
    return { hosts: [name.host], tunnelId, resolvers, ...(name.port === undefined ? {} : { port: name.port }) };
  }
  return { hosts: [host.ipv4, host.ipv6].flatMap((address) => normalAddress(address)), tunnelId, resolvers };
}

/** The API returns null for fields that a host does not have. */
function isAbsent(field: unknown): field is null | undefined {
  return field === undefined || field === null;
}

function checkForm(host: Checked<ServiceHost>, at: Path, report: Report): boolean {
  const addresses = (["ipv4", "ipv6"] as const).filter((key) => !isAbsent(host[key]));
  const hasName = !isAbsent(host.hostname);
  const wanted = hasName ? "resolver_network" : "network";
  const other = hasName ? "network" : "resolver_network";
  let problem: string | undefined;
  let note = FORMS;
  if (addresses.length === 0 && !hasName) {
    problem = "has neither an address nor a hostname";
  } else if (addresses.length > 0 && hasName) {
    problem = `has "hostname" and "${addresses.join('" and "')}"`;
  } else if (!isAbsent(host[other])) {
    problem = `has "${other}", which cannot be used with ${hasName ? '"hostname"' : "an address"}`;
    if (isAbsent(host[wanted])) note = `Rename "${other}" to "${wanted}".`;
  } else if (isAbsent(host[wanted])) {
    problem = `lacks "${wanted}"`;
    note = `Add "${wanted}": { "tunnel_id": a uuid }.`;
  }
  if (problem !== undefined) {
    report({ code: "invalid-host", text: `"host" ${problem}`, at, part: "key", notes: [note] });
  }
  return problem === undefined;
}

interface HostnameProblems {
  /** Each one continues a sentence that starts with "it". */
  problems: string[];
  note: string;
}

function parseHostname(
  text: string,
  type: ServiceEntry["type"] | undefined,
): { host: string; port?: number } | HostnameProblems {
  const problems: string[] = [];
  if (text.trim() === "") return { problems: ["is empty"], note: FORMS };

  let rest = text;
  if (/\s/.test(rest)) {
    problems.push("has whitespace");
    rest = rest.replaceAll(/\s+/g, "");
  }
  const url = splitScheme(rest);
  if (url?.rest.startsWith("//")) {
    problems.push(`has the scheme ${quote(`${url.scheme}://`)}`);
    rest = url.rest.slice(2);
  }
  const path = /[/?#].*$/s.exec(rest)?.[0];
  if (path !== undefined) {
    problems.push(`has the path ${quote(path)}`);
    rest = rest.slice(0, -path.length);
  }

  const { hostText, portText } = isIP(rest) === 0 ? splitPort(rest) : { hostText: rest };
  let port: number | undefined;
  if (portText !== undefined && type === "tcp") {
    const parsed = parsePort(portText);
    if (typeof parsed === "number") port = parsed;
    else problems.push(parsed.problem);
  } else if (portText !== undefined && type === "http") {
    problems.push(`has the port ":${portText}"`);
  }

  const host = parseHost(hostText);
  if (isProblem(host)) problems.push(host.problem);
  else if (host.type === "ip") problems.push("is an IP address");
  else if (hostText.includes("*")) problems.push("has a wildcard");
  else if (problems.length === 0) return port === undefined ? { host: host.text } : { host: host.text, port };
  return { problems, note: noteFor(host, { portText, type }) };
}

function noteFor(
  host: Host | Problem,
  { portText, type }: { portText: string | undefined; type: ServiceEntry["type"] | undefined },
): string {
  if (isProblem(host)) return "A host name is 1 to 253 characters of letters, digits, dots, hyphens and underscores.";
  if (host.type === "ip") return `Write it as "ipv${host.version}": "${host.text}", with "network".`;
  if (host.text.includes("*")) return "A VPC Service is one host. Use a wildcard in the routes of a network.";
  const ports =
    portText === undefined
      ? ""
      : `; the port goes into ${type === "tcp" ? '"tcp_port"' : '"http_port" or "https_port"'}`;
  return `Write "${host.text}"${ports}.`;
}

function joinProblems(problems: string[]): string {
  const last = problems.at(-1) ?? "";
  return problems.length < 2 ? last : `${problems.slice(0, -1).join(", ")} and ${last}`;
}

function normalAddress(address: string | null | undefined): string[] {
  const host = isAbsent(address) ? undefined : parseHost(address);
  return host !== undefined && !isProblem(host) ? [host.text] : [];
}
