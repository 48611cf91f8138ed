/**
 * Parses a document into a model: parses every section and reports every mistake. Knows nothing about the
 * session, which is the job of `link`.
 */

import { type Checked, checkFields } from "./check-fields.ts";
import { configFields } from "./config-schema.ts";
import { copyData } from "./copy-data.ts";
import type { VpcConfig } from "../config.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { type Parsing, type VpcDocument, isPlainObject, quote, reportTo } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { DEFAULT_SETTINGS, type Entry, type Settings, type VpcModel, entryKey } from "../model.ts";
import { parseCa } from "./parse-ca.ts";
import { reportMissing } from "./find-certificates.ts";
import { type KnownCertificates, parseCertificates } from "./parse-certificates.ts";
import { parseHyperdrive } from "./parse-hyperdrive.ts";
import { parseLimits } from "./parse-limits.ts";
import { parseNetwork } from "./parse-network.ts";
import { parseService } from "./parse-service.ts";
import { reportSameId } from "./same-id.ts";

export function emptyModel(document: VpcDocument, { isReadable }: { isReadable: boolean }): VpcModel {
  return {
    document,
    isReadable,
    services: new Map(),
    networks: new Map(),
    hyperdrives: new Map(),
    unusedCertificates: [],
    namedFiles: new Set(),
    settings: DEFAULT_SETTINGS,
  };
}

export function parseConfig(document: VpcDocument, diagnostics: Diagnostic[]): VpcModel {
  const namedFiles = new Set<string>();
  const parsing: Parsing = { document, report: reportTo(diagnostics, document), namedFiles };
  const data = document.isData ? { value: document.value } : copyData(document.value, parsing.report);
  if (data === undefined) return emptyModel(document, { isReadable: false });
  const { value } = data;
  const routes = countRoutes(value);
  if (routes > MAX_ROUTES) {
    parsing.report({
      code: "too-many-routes",
      text: `the vpc config has ${routes} routes, but the limit is ${MAX_ROUTES}`,
      at: [],
      notes: ["Use a CIDR or a wildcard instead of many addresses or names."],
    });
    return emptyModel(document, { isReadable: false });
  }
  if (!isPlainObject(value)) {
    parsing.report({
      code: "invalid-config",
      text: `the vpc config is ${quote(value)}, but must be an object`,
      at: [],
      notes: ['Write { "services": { … }, "networks": { … } }.'],
    });
    return emptyModel(document, { isReadable: false });
  }
  const checked = checkFields({ fields: configFields, what: "the vpc config", value, at: [] }, parsing);
  const { traffic, trust, seed, ui, networks, hyperdrive } = checked;
  const certificates: KnownCertificates = {
    entries: parseCertificates(checked.certificates, parsing),
    named: new Set(),
    missing: [],
  };
  const services = parseSection(
    {
      section: "services",
      entries: checked.services,
      parse: (source) => parseService(source, { ...parsing, certificates }),
    },
    parsing,
  );
  reportMissing(certificates.missing, parsing);
  const parse = parseHyperdrive(services);
  return {
    document,
    isReadable: true,
    namedFiles,
    services,
    networks: parseSection({ section: "networks", entries: networks, parse: parseNetwork }, parsing),
    hyperdrives: parseSection({ section: "hyperdrive", entries: hyperdrive, parse }, parsing),
    unusedCertificates: findUnused(certificates, services),
    settings: {
      ca: parseCa({ value: value["ca"], at: ["ca"] }, parsing),
      limits: { ...DEFAULT_SETTINGS.limits, ...parseLimits(checked) },
      traffic: traffic ?? DEFAULT_SETTINGS.traffic,
      ...(trust === "production" && { trust }),
      ...(seed !== undefined && { seed }),
      ...parseUi(ui),
    },
  };
}

/** A record that has a mistake may be what names it. */
function findUnused({ entries, named }: KnownCertificates, services: VpcModel["services"]): Path[] {
  if ([...services.values()].some(({ kind }) => kind === "broken")) return [];
  return [...entries].flatMap(([key, { kind, at }]) => (kind === "broken" || named.has(key) ? [] : [at]));
}

function parseUi(ui: Checked<NonNullable<VpcConfig["ui"]>> | undefined): Pick<Settings, "ui"> {
  if (typeof ui !== "object") return ui === undefined ? {} : { ui };
  return ui.port === undefined ? {} : { ui: { port: ui.port } };
}

/** Limits the time and the memory that it takes to compile the table. */
const MAX_ROUTES = 100_000;

function countRoutes(value: unknown): number {
  const networks = isPlainObject(value) && isPlainObject(value["networks"]) ? Object.values(value["networks"]) : [];
  return networks.reduce<number>(
    (count, network) =>
      isPlainObject(network) && isPlainObject(network["routes"])
        ? count + Object.keys(network["routes"]).length
        : count,
    0,
  );
}

interface Section<T> {
  section: "services" | "networks" | "hyperdrive";
  entries: Record<string, unknown> | undefined;
  parse: (source: { key: string; value: unknown; at: Path }, parsing: Parsing) => Entry<T>;
}

function parseSection<T>({ section, entries, parse }: Section<T>, parsing: Parsing): Map<string, Entry<T>> {
  const parsed = new Map<string, Entry<T>>();
  for (const [key, value] of Object.entries(entries ?? {})) {
    // An undefined entry of a vpc.config.ts was left out on purpose.
    if (value === undefined) continue;
    const at = [section, key];
    const earlier = parsed.get(entryKey(key));
    if (earlier !== undefined) reportSameId({ key, at, earlier: earlier.at }, parsing);
    const entry = parse({ key, value, at }, parsing);
    if (earlier === undefined) parsed.set(entryKey(key), entry);
  }
  return parsed;
}
