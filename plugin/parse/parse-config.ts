/**
 * From a document to a model: every section is parsed, every mistake reported. Knows nothing of the
 * session; that is link's business.
 */

import { checkFields } from "./check-fields.ts";
import { configFields } from "./config-schema.ts";
import { copyData } from "./copy-data.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { type Parsing, type VpcDocument, isTable, placeOf, quote, reportTo } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { DEFAULT_SETTINGS, type Entry, type VpcModel, entryKey } from "../model.ts";
import { parseCa } from "./parse-ca.ts";
import { parseLimits } from "./parse-limits.ts";
import { parseNetwork } from "./parse-network.ts";
import { parseService } from "./parse-service.ts";

export function emptyModel(document: VpcDocument, { isReadable }: { isReadable: boolean }): VpcModel {
  return { document, isReadable, services: new Map(), networks: new Map(), settings: DEFAULT_SETTINGS };
}

export function parseConfig(document: VpcDocument, diagnostics: Diagnostic[]): VpcModel {
  const parsing: Parsing = { document, report: reportTo(diagnostics, document) };
  const data = copyData(document.value, parsing.report);
  if (data === undefined) return emptyModel(document, { isReadable: false });
  const { value } = data;
  if (!isTable(value)) {
    parsing.report({
      code: "invalid-config",
      text: `the vpc config is ${quote(value)}, but must be an object`,
      at: [],
      notes: ['Write { "services": { … }, "networks": { … } }.'],
    });
    return emptyModel(document, { isReadable: false });
  }
  const checked = checkFields({ fields: configFields, what: "the vpc config", value, at: [] }, parsing);
  const { traffic, services, networks } = checked;
  return {
    document,
    isReadable: true,
    services: parseSection({ section: "services", entries: services, parse: parseService }, parsing),
    networks: parseSection({ section: "networks", entries: networks, parse: parseNetwork }, parsing),
    settings: {
      ca: parseCa({ value: value["ca"], at: ["ca"] }, parsing),
      limits: { ...DEFAULT_SETTINGS.limits, ...parseLimits(checked) },
      traffic: traffic ?? DEFAULT_SETTINGS.traffic,
    },
  };
}

interface Section<T> {
  section: "services" | "networks";
  entries: Record<string, unknown> | undefined;
  parse: (source: { key: string; value: unknown; at: Path }, parsing: Parsing) => Entry<T>;
}

function parseSection<T>({ section, entries, parse }: Section<T>, parsing: Parsing): Map<string, Entry<T>> {
  const parsed = new Map<string, Entry<T>>();
  for (const [key, value] of Object.entries(entries ?? {})) {
    // An entry of a vpc.config.ts that is undefined was left out on purpose.
    if (value === undefined) continue;
    const at = [section, key];
    const earlier = parsed.get(entryKey(key));
    if (earlier !== undefined) {
      parsing.report({
        code: "duplicate-entry",
        text: `${quote(key)} has the same id as the entry on ${placeOf(parsing.document, earlier.at)}`,
        at,
        part: "key",
        notes: ["The case of an id does not matter; remove one of them."],
      });
    }
    const entry = parse({ key, value, at }, parsing);
    if (earlier === undefined) parsed.set(entryKey(key), entry);
  }
  return parsed;
}
