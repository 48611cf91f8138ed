/**
 * Parses an entry of "services": a shorthand, which is just a target, or a record of the connectivity
 * directory API.
 */

import { DEFAULT_PORT, type Service } from "../../service-worker/routing/table.ts";
import { type Checked, checkFields } from "./check-fields.ts";
import type { ServiceEntry } from "../config.ts";
import { serviceFields, targetFields } from "./config-schema.ts";
import { type Finding, type Parsing, isPlainObject, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { type Entry, type ModelTarget, type ServiceModel, isUuid } from "../model.ts";
import { type HostModel, parseServiceHost } from "./parse-service-host.ts";
import { findCertificates } from "./find-certificates.ts";
import { parseCa } from "./parse-ca.ts";
import type { RecordParsing } from "./parse-certificates.ts";
import { parseFaultList } from "./parse-fault-list.ts";
import { parseLimits } from "./parse-limits.ts";
import { MAX_PORT } from "./port-ranges.ts";
import { isFunctionTarget, isTargetObject, parseTarget } from "./parse-target.ts";

const DEFAULT_PORTS = { httpPort: DEFAULT_PORT.http, httpsPort: DEFAULT_PORT.https };
/** Marks that a target without a port serves `connect()`: a socket file, a Worker, a function. */
const NOMINAL_TCP_PORT = 1;

interface ServiceSource {
  key: string;
  value: unknown;
  at: Path;
}

export function parseService({ key, value, at }: ServiceSource, parsing: RecordParsing): Entry<ServiceModel> {
  if (value === "remote") return { kind: "remote", at };
  if (isPlainObject(value)) {
    const wrapping = findWrapping(key, value);
    if (wrapping !== undefined) {
      parsing.report({ code: "wrapped-service", ...wrapping, at });
      return { kind: "broken", at };
    }
  }
  const model = parseModel({ key, value, at }, parsing);
  return model === undefined ? { kind: "broken", at } : { kind: "entry", at, ...model };
}

function parseModel({ key, value, at }: ServiceSource, parsing: RecordParsing): ServiceModel | undefined {
  if (isTargetEntry(value)) return parseTargetEntry({ key, value, at }, parsing);
  return isRecord(value) ? parseRecord({ key, value, at }, parsing) : parseShorthand({ key, value, at }, parsing);
}

/** Finds an API response that was pasted whole, with the record inside its `result`. */
function findWrapping(key: string, value: Record<string, unknown>): { text: string; notes: [string] } | undefined {
  const { result } = value;
  if (typeof result !== "object" || result === null || Object.hasOwn(value, "host")) return undefined;
  const note = Array.isArray(result)
    ? 'Paste one of the records under its "result".'
    : 'Paste the record under its "result".';
  return { text: `the service ${quote(key)} is a whole API response, not a record`, notes: [note] };
}

/** Whether the entry is an object with a target and without any field of a record. */
function isTargetEntry(value: unknown): value is Record<string, unknown> {
  if (!isPlainObject(value) || value["target"] === undefined || Object.hasOwn(value, "har")) return false;
  return !Object.keys(value).some(
    (field) => Object.hasOwn(serviceFields, field) && !Object.hasOwn(targetFields, field),
  );
}

function parseTargetEntry({ key, value, at }: RecordSource, parsing: RecordParsing): ServiceModel | undefined {
  const entry = checkFields({ fields: targetFields, what: "a service that is just a target", value, at }, parsing);
  const ca = parseCa({ value: value["ca"], at: [...at, "ca"] }, parsing);
  const shorthand = parseShorthand({ key, value: entry.target, at: [...at, "target"] }, parsing);
  if (shorthand === undefined) return undefined;
  const certificates = findCertificates(entry.tls_settings, { at, target: shorthand.target }, parsing);
  const tlsMode = entry.tls_settings?.cert_verification_mode ?? shorthand.tlsMode;
  const service = { ...shorthand.service, label: entry.name ?? key };
  const faults = parseFaultList(
    { value: entry.faults, at: [...at, "faults"], tcpOnly: tcpOnlyService(service) },
    parsing,
  );
  return { ...shorthand, service, ca, tlsMode, certificates, limits: parseLimits(entry), faults };
}

function tcpOnlyService({ type }: { type?: string }): string | undefined {
  return type === "tcp" ? "this service" : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (!isPlainObject(value) || isFunctionTarget(value)) return false;
  return !isTargetObject(value) || Object.hasOwn(value, "type") || Object.hasOwn(value, "host");
}

function parseShorthand({ key, value, at }: ServiceSource, parsing: Parsing): ServiceModel | undefined {
  const target = parseTarget(value, at, parsing);
  if (target === undefined) return undefined;
  if (target.type === "passthrough") {
    parsing.report({
      code: "passthrough-without-host",
      text: `${quote(key)} passes through, but a shorthand has no host to pass through to`,
      at,
      notes: ['Paste the service\'s record with its "host", and add "target": "passthrough" to it.'],
    });
    return undefined;
  }
  const service = { label: key, hosts: [], ...shorthandPorts(target) };
  return { service, ca: [], tlsMode: "verify_full", certificates: {}, limits: {}, resolvers: [], faults: [], target };
}

/** The type and ports of a service that is only a target. */
function shorthandPorts(target: ModelTarget): Pick<Service, "type" | "httpPort" | "httpsPort" | "tcpPort"> {
  switch (target.type) {
    case "address":
      if (target.scheme !== undefined) return { type: "http", ...DEFAULT_PORTS };
      // Without a port, `connect()` has no port to dial.
      return { type: "both", ...DEFAULT_PORTS, ...(target.port === undefined ? {} : { tcpPort: target.port }) };
    case "function":
      if (typeof target.call === "function" || target.call.connect === undefined)
        return { type: "http", ...DEFAULT_PORTS };
      if (target.call.fetch === undefined) return { type: "tcp", tcpPort: NOMINAL_TCP_PORT };
      return { type: "both", ...DEFAULT_PORTS, tcpPort: NOMINAL_TCP_PORT };
    case "unix":
    case "worker":
    // A stand-in refuses `connect()` in words of its own.
    case "stand-in":
    case "deny":
    case "passthrough":
      return { type: "both", ...DEFAULT_PORTS, tcpPort: NOMINAL_TCP_PORT };
    default:
      return target satisfies never;
  }
}

interface RecordSource extends ServiceSource {
  value: Record<string, unknown>;
}

function parseRecord({ key, value, at }: RecordSource, { report, ...others }: RecordParsing): ServiceModel | undefined {
  let isBroken = false;
  const parsing: RecordParsing = {
    ...others,
    report(finding: Finding) {
      isBroken ||= finding.severity === undefined;
      report(finding);
    },
  };
  const record = checkFields({ fields: serviceFields, what: "a service", value, at }, parsing);
  checkServiceId(record, { key, at }, parsing);
  const ca = parseCa({ value: value["ca"], at: [...at, "ca"] }, parsing);
  const faults = parseFaultList(
    { value: record.faults, at: [...at, "faults"], tcpOnly: tcpOnlyService(record) },
    parsing,
  );
  const target = record.target === undefined ? undefined : parseTarget(record.target, [...at, "target"], parsing);
  const host = parseHostOf(record, { value, at }, parsing);
  checkPortFields(record, at, parsing);
  const certificates = findCertificates(
    record.tls_settings,
    { at, type: record.type, isPlain: hasPlainPortOnly(record), target },
    parsing,
  );
  if (target !== undefined) checkTargetServes(record.type, target, parsing);
  const tcpPort = record.type === "tcp" ? tcpPortOf(record, { value, at, host }, parsing) : undefined;
  if (isBroken || host === undefined || record.type === undefined) return undefined;

  const ports = record.type === "http" ? httpPortsOf(record) : tcpPort === undefined ? {} : { tcpPort };
  return {
    service: { type: record.type, label: record.name ?? key, hosts: host.hosts, networkId: host.tunnelId, ...ports },
    ca,
    tlsMode: record.tls_settings?.cert_verification_mode ?? "verify_full",
    certificates,
    limits: parseLimits(record),
    resolvers: host.resolvers,
    faults,
    ...(target === undefined ? {} : { target }),
    ...(record.app_protocol && { appProtocol: record.app_protocol }),
  };
}

type ServiceRecord = Checked<
  Omit<ServiceEntry, "target" | "faults"> & { target?: unknown; faults?: readonly unknown[] }
>;

function parseHostOf(
  record: ServiceRecord,
  { value, at }: Pick<RecordSource, "value" | "at">,
  { report }: Parsing,
): HostModel | undefined {
  const { host, type } = record;
  if (host === undefined) return undefined;
  const written = Object.keys(isPlainObject(value["host"]) ? value["host"] : {});
  const isBroken = written.some((field) => !Object.hasOwn(host, field));
  return parseServiceHost(host, { at: [...at, "host"], type, isBroken, report });
}

function checkServiceId(record: ServiceRecord, { key, at }: { key: string; at: Path }, { report }: Parsing): void {
  const serviceId = record.service_id;
  if (serviceId === undefined || !isUuid(key) || key.toLowerCase() === serviceId.toLowerCase()) return;
  report({
    severity: "warning",
    code: "service-id-differs",
    text: `"service_id" is ${quote(serviceId)}, but the key of the record is ${quote(key)}`,
    at: [...at, "service_id"],
    notes: ["The key wins. Correct it if the record belongs to the other service."],
  });
}

/** Reports fields that belong to the other type of service. */
function checkPortFields(record: ServiceRecord, at: Path, { report }: Parsing): void {
  if (record.type === undefined) return;
  const foreign =
    record.type === "http" ? (["tcp_port", "app_protocol"] as const) : (["http_port", "https_port"] as const);
  for (const field of foreign) {
    if ((record[field] ?? null) === null) continue;
    report({
      code: "wrong-service-type",
      text: `"${field}" cannot be used with "type": "${record.type}"`,
      at: [...at, field],
      part: "key",
      notes: [`Remove it, or make the service "type": "${record.type === "http" ? "tcp" : "http"}".`],
    });
  }
}

function checkTargetServes(type: ServiceEntry["type"] | undefined, target: ModelTarget, { report }: Parsing): void {
  let text: string | undefined;
  let note = "";
  if (type === "tcp" && target.type === "address" && target.scheme !== undefined) {
    text = `the target's scheme "${target.scheme}://" cannot be used with "type": "tcp"`;
    note = 'Write the target as "host:port".';
  } else if (
    type === "tcp" &&
    target.type === "function" &&
    (typeof target.call === "function" || !target.call.connect)
  ) {
    text = 'the target is a function for HTTP, but the service is "type": "tcp"';
    note = "Write the target as { connect(socket) { … } }.";
  } else if (type === "tcp" && target.type === "stand-in") {
    text = 'the target is a stand-in, which answers HTTP only, but the service is "type": "tcp"';
    note = 'Write a target that speaks TCP, such as "localhost:5432".';
  } else if (type === "http" && target.type === "function" && typeof target.call === "object" && !target.call.fetch) {
    text = 'the target has only "connect", but the service is "type": "http"';
    note = "Write the target as a function, or as { fetch(request) { … } }.";
  }
  if (text !== undefined) report({ code: "wrong-target", text, at: target.at, notes: [note] });
}

function hasPlainPortOnly({ type, http_port: http, https_port: https }: Partial<ServiceRecord>): boolean {
  return type === "http" && typeof http === "number" && typeof https !== "number";
}

function httpPortsOf(record: ServiceRecord): Pick<Service, "httpPort" | "httpsPort"> {
  const httpPort = record.http_port ?? undefined;
  const httpsPort = record.https_port ?? undefined;
  if (httpPort === undefined && httpsPort === undefined) return DEFAULT_PORTS;
  return { ...(httpPort === undefined ? {} : { httpPort }), ...(httpsPort === undefined ? {} : { httpsPort }) };
}

function tcpPortOf(
  record: ServiceRecord,
  { value, at, host }: Pick<RecordSource, "value" | "at"> & { host: HostModel | undefined },
  { report }: Parsing,
): number | undefined {
  const given = record.tcp_port ?? undefined;
  if (given !== undefined && host?.port !== undefined && given !== host.port) {
    report({
      code: "ports-differ",
      text: `"tcp_port" is ${given}, but the hostname has the port ${host.port}`,
      at: [...at, "tcp_port"],
      notes: ["Write the port in one place only."],
    });
  }
  // An invalid hostname may contain the port.
  const mayHavePort = host === undefined ? (record.host?.hostname ?? undefined) !== undefined : host.port !== undefined;
  if ((value["tcp_port"] ?? null) === null && !mayHavePort) {
    report({
      code: "missing-field",
      text: 'a service of "type": "tcp" lacks "tcp_port"',
      at,
      part: "key",
      notes: [`Add "tcp_port": a whole number from 1 to ${MAX_PORT}.`],
    });
  }
  return given ?? host?.port;
}
