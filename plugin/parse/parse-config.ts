/**
 * From a document to a model: every section is parsed, every mistake reported. Knows nothing of the
 * session; that is link's business.
 */

import { stat } from "node:fs/promises";
import path from "node:path";

import { checkFields } from "./check-fields.ts";
import { configFields } from "./config-schema.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { hasCode, messageOf } from "../error.ts";
import { type Parsing, type VpcDocument, isTable, placeOf, quote, reportTo } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { DEFAULT_SETTINGS, type Entry, type VpcModel, entryKey } from "../model.ts";
import { parseNetwork } from "./parse-network.ts";
import { parseService } from "./parse-service.ts";

export function emptyModel(document: VpcDocument, { isReadable }: { isReadable: boolean }): VpcModel {
  return { document, isReadable, services: new Map(), networks: new Map(), settings: DEFAULT_SETTINGS };
}

export async function parseConfig(document: VpcDocument, diagnostics: Diagnostic[]): Promise<VpcModel> {
  const parsing: Parsing = { document, report: reportTo(diagnostics, document) };
  if (!isTable(document.value)) {
    parsing.report({
      code: "invalid-config",
      text: `the vpc config is ${quote(document.value)}, but must be an object`,
      at: [],
      notes: ['Write { "services": { … }, "networks": { … } }.'],
    });
    return emptyModel(document, { isReadable: false });
  }
  const { ca, connectTimeout, workerLimit, traffic, services, networks } = checkFields(
    { fields: configFields, what: "the vpc config", value: document.value, at: [] },
    parsing,
  );
  return {
    document,
    isReadable: true,
    services: parseSection({ section: "services", entries: services, parse: parseService }, parsing),
    networks: parseSection({ section: "networks", entries: networks, parse: parseNetwork }, parsing),
    settings: {
      ca: await resolveCa(ca ?? [], parsing),
      connectTimeout: connectTimeout ?? DEFAULT_SETTINGS.connectTimeout,
      workerLimit: workerLimit ?? DEFAULT_SETTINGS.workerLimit,
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

/** @returns absolute paths of the files that exist */
async function resolveCa(names: readonly string[], { document, report }: Parsing): Promise<string[]> {
  const files = await Promise.all(
    names.map(async (name, index) => {
      const file = path.resolve(document.folder, name);
      const problem = await fileProblem(file);
      if (problem === undefined) return [file];
      report({
        code: "ca-not-found",
        text: `the root certificate ${quote(name)} ${problem}`,
        at: ["ca", index],
        notes: [`It was looked for at ${file}.`],
      });
      return [];
    }),
  );
  return files.flat();
}

async function fileProblem(file: string): Promise<string | undefined> {
  try {
    return (await stat(file)).isFile() ? undefined : "is not a file";
  } catch (error) {
    return hasCode(error, "ENOENT") ? "does not exist" : `can't be read: ${messageOf(error)}`;
  }
}
