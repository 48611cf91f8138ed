/**
 * The output of `wrangler vpc service get`, `create`, `update` and `list` → records. Relies on wrangler's exact labels.
 */

import { stripVTControlCharacters } from "node:util";

import { isProblem, parseHost } from "../../service-worker/routing/address.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { type VpcDocument, emptyDocument } from "../read/document.ts";
import { type ImportResult, notImported, toRecord } from "./record.ts";

interface TextSource {
  /** Absolute path. */
  file: string;
  folder: string;
  /** Whole tunnel ids that are known from elsewhere, because `list` cuts them. */
  tunnelIds: readonly string[];
}

const HEAD = /VPC service: (\S+)\s*$/;
const FIELD = /^\s+([A-Z][\w ]*): (.*?)\s*$/;
/** The labels of the lines that wrangler prints for a service. */
const LABELS = new Set(
  (
    "Name,Type,TCP Port,App Protocol,HTTP Port,HTTPS Port,Cert Verification Mode,Certificate Authority,Client Certificate," +
    "IPv4,IPv6,Hostname,Tunnel ID,Resolver IPs,Created,Modified"
  ).split(","),
);
const ROW = /^\s*│(.*)│\s*$/;

/** @returns undefined if the text isn't wrangler's output */
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

/** Whether it is the table of `list`, with other characters in place of the lines between its columns. */
export function isGarbledTable(text: string): boolean {
  return /^\s*(\S{1,6})\s+id\s+\1\s+name\s+\1.*\s\1\s+tunnel\s+\1/m.test(stripVTControlCharacters(text));
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
      if (!LABELS.has(name)) diagnostics.push(notImported(JSON.stringify(name), { file: source.file, line: next + 1 }));
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
        tls: {
          cert_verification_mode: fields.get("Cert Verification Mode"),
          certificate_authority: idIn(fields.get("Certificate Authority")),
          client_certificate: idIn(fields.get("Client Certificate")),
        },
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
        text: `${JSON.stringify(cell("name"))} uses the tunnel ${JSON.stringify(cell("tunnel"))}: wrangler cuts the id, and ${tunnelId === undefined ? "no known id" : "more than one known id"} starts like that`,
        file: source.file,
        line: row.line,
        notes: [`Import the output of "npx wrangler vpc service get ${serviceId}", which shows the whole id.`],
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

/** The fields of a service as wrangler prints them. */
interface Printed {
  name: string | undefined;
  type: string | undefined;
  httpPort: string | undefined;
  httpsPort: string | undefined;
  tcpPort: string | undefined;
  appProtocol: string | undefined;
  tls?: Record<string, string | undefined>;
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
    ...(printed.tls?.["cert_verification_mode"] !== undefined && { tls_settings: printed.tls }),
    host,
  };
}

/** Without a certificate, wrangler prints "None" or "None (system trust store)". */
function idIn(text: string | undefined): string | undefined {
  return text?.startsWith("None") ? undefined : text;
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

/** A document in which every value is on one line. */
function documentAt(line: number, { file, folder }: TextSource): VpcDocument {
  return { ...emptyDocument(file, folder), locate: () => ({ line, column: 1 }) };
}
