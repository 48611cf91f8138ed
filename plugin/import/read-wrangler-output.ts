/**
 * What `wrangler vpc service get`, `create`, `update` and `list` print → records. Follows wrangler's own words.
 */

import { stripVTControlCharacters } from "node:util";

import { isProblem, parseHost } from "../../service-worker/address.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { type VpcDocument, emptyDocument } from "../read/document.ts";
import { type ImportResult, toRecord } from "./record.ts";

interface TextSource {
  /** Absolute path. */
  file: string;
  folder: string;
  /** Whole tunnel ids that are known otherwise: `list` shows no more than their beginnings. */
  tunnelIds: readonly string[];
}

const HEAD = /VPC service: (\S+)\s*$/;
const FIELD = /^\s+([A-Z][\w ]*): (.*?)\s*$/;
const ROW = /^\s*│(.*)│\s*$/;

/** @returns undefined when it is nothing of wrangler's */
export function readWranglerOutput(text: string, source: TextSource): ImportResult | undefined {
  const lines = stripVTControlCharacters(text).split(/\r?\n/);
  const details = readDetails(lines, source);
  const table = readTable(lines, source);
  if (details === undefined && table === undefined) return undefined;
  return {
    records: [...(details?.records ?? []), ...(table?.records ?? [])],
    diagnostics: [...(details?.diagnostics ?? []), ...(table?.diagnostics ?? [])],
  };
}

/** The lines under `Retrieved VPC service: …`, once or several times. */
function readDetails(lines: readonly string[], source: TextSource): ImportResult | undefined {
  const starts = lines.flatMap((line, index) => (HEAD.test(line) ? [index] : []));
  if (starts.length === 0) return undefined;
  const diagnostics: Diagnostic[] = [];
  const records = starts.flatMap((start) => {
    const fields = new Map<string, string>();
    for (let next = start + 1; next < lines.length; next++) {
      const [, name, value] = FIELD.exec(lines[next] ?? "") ?? [];
      if (name === undefined || value === undefined) break;
      fields.set(name, value);
    }
    const value = {
      service_id: HEAD.exec(lines[start] ?? "")?.[1],
      ...recordOf({
        name: fields.get("Name"),
        type: fields.get("Type"),
        httpPort: fields.get("HTTP Port"),
        httpsPort: fields.get("HTTPS Port"),
        tcpPort: fields.get("TCP Port"),
        appProtocol: fields.get("App Protocol"),
        verification: fields.get("Cert Verification Mode"),
        hosts: [fields.get("Hostname"), fields.get("IPv4"), fields.get("IPv6")].filter((host) => host !== undefined),
        tunnelId: fields.get("Tunnel ID"),
        resolvers: fields.get("Resolver IPs"),
      }),
    };
    return toRecord({ value, at: [], document: documentAt(start + 1, source) }, diagnostics) ?? [];
  });
  return { records, diagnostics };
}

/** The table of `list`. */
function readTable(lines: readonly string[], source: TextSource): ImportResult | undefined {
  const rows = lines.flatMap((line, index) => {
    const [, cells] = ROW.exec(line) ?? [];
    return cells === undefined ? [] : [{ cells: cells.split("│").map((cell) => cell.trim()), line: index + 1 }];
  });
  const head = rows.find(({ cells }) => cells.includes("id") && cells.includes("tunnel"));
  if (head === undefined) return undefined;
  const diagnostics: Diagnostic[] = [];
  const records = rows.flatMap((row) => {
    if (row.line <= head.line) return [];
    const cell = (column: string): string => row.cells[head.cells.indexOf(column)] ?? "";
    const serviceId = cell("id");
    const beginning = cell("tunnel").replace(/\.+$/, "");
    const [tunnelId, ...others] = new Set(
      source.tunnelIds.filter((id) => id.toLowerCase().startsWith(beginning.toLowerCase())),
    );
    if (tunnelId === undefined || others.length > 0) {
      diagnostics.push({
        severity: "error",
        code: "tunnel-cut",
        text: `${JSON.stringify(cell("name"))} is on the tunnel ${JSON.stringify(cell("tunnel"))}: wrangler shows the beginning only, and ${tunnelId === undefined ? "no tunnel" : "more than one tunnel"} known here starts like this`,
        file: source.file,
        line: row.line,
        notes: [`Import "npx wrangler vpc service get ${serviceId}", which shows it whole.`],
      });
      return [];
    }
    const port = (scheme: string): string | undefined => new RegExp(`\\b${scheme}:(\\d+)`).exec(cell("ports"))?.[1];
    const value = {
      service_id: serviceId,
      ...recordOf({
        name: cell("name"),
        type: cell("type"),
        httpPort: port("HTTP"),
        httpsPort: port("HTTPS"),
        tcpPort: port("TCP"),
        appProtocol: /\((\w+)\)/.exec(cell("ports"))?.[1],
        hosts: cell("host").split(", "),
        tunnelId,
      }),
    };
    return toRecord({ value, at: [], document: documentAt(row.line, source), isComplete: false }, diagnostics) ?? [];
  });
  return { records, diagnostics };
}

/** As wrangler prints them. */
interface Printed {
  name: string | undefined;
  type: string | undefined;
  httpPort: string | undefined;
  httpsPort: string | undefined;
  tcpPort: string | undefined;
  appProtocol: string | undefined;
  verification?: string | undefined;
  hosts: string[];
  tunnelId: string | undefined;
  resolvers?: string | undefined;
}

function recordOf(printed: Printed): Record<string, unknown> {
  const host: Record<string, unknown> = {};
  for (const text of printed.hosts) {
    const parsed = parseHost(text);
    const isAddress = !isProblem(parsed) && parsed.type === "ip";
    host[isAddress ? `ipv${parsed.version}` : "hostname"] = text;
  }
  const network = { tunnel_id: printed.tunnelId };
  if (host["hostname"] === undefined) host["network"] = network;
  else {
    const resolvers = printed.resolvers === undefined ? {} : { resolver_ips: printed.resolvers.split(", ") };
    host["resolver_network"] = { ...network, ...resolvers };
  }
  return {
    name: printed.name,
    type: printed.type,
    http_port: toNumber(printed.httpPort),
    https_port: toNumber(printed.httpsPort),
    tcp_port: toNumber(printed.tcpPort),
    app_protocol: printed.appProtocol,
    ...(printed.verification !== undefined && { tls_settings: { cert_verification_mode: printed.verification } }),
    host,
  };
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** Of which every part stands on one line. */
function documentAt(line: number, { file, folder }: TextSource): VpcDocument {
  return { ...emptyDocument(file, folder), locate: () => ({ line, column: 1 }) };
}
