/**
 * `miniflare-vpc import`: VPC Service records, from wherever they are kept, into the vpc config.
 */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { type Diagnostic, formatDiagnostics, formatLocation, hasErrors, isDiagnostic } from "../diagnostics.ts";
import { findConfigs } from "../dev/find-configs.ts";
import { messageOf } from "../error.ts";
import { applyOutcomes } from "../import/apply-outcomes.ts";
import { formatJson } from "../import/format-json.ts";
import { formatTomlServices } from "../import/format-toml.ts";
import { type Outcome, planImport } from "../import/plan-import.ts";
import { type ImportFile, readImport, tunnelIdsIn } from "../import/read-import.ts";
import type { ImportedRecord } from "../import/record.ts";
import { type VpcBinding, isUuid } from "../model.ts";
import { isTable, quote } from "../read/document.ts";
import { CONFIG_NAMES, readVpc, readVpcIn } from "../read/read-vpc.ts";
import { type Command, FINE, PROBLEMS, defineCommand } from "./command.ts";
import { CONFIG_FLAG } from "./config-flags.ts";
import { formatOutcomes, hintsOf } from "./import-text.ts";
import { readEnvironment, readProject } from "./read-project.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";
import { writeConfigFile } from "./write-config-file.ts";

const STANDARD_INPUT = "<standard input>";

export const importRecords: Command = defineCommand({
  name: "import",
  summary: "VPC Service records from the API, wrangler or Terraform into vpc.jsonc",
  description: `Reads VPC Service records and writes them into the vpc.jsonc (or vpc.json) beside the wrangler config, which is made
if there is none. Comments, order and what is your own, such as "target", stay. What is there already is updated.

Each file is one of: an answer of the API (a record, a list, the whole envelope); what "wrangler vpc service get" or
"list" prints; Terraform files, of which literals, variables and locals are understood; Terraform's state, or what
"terraform show -json" prints of a state or a plan.`,
  positionals: [
    { name: "file", summary: 'what to import; "-" is the standard input', isRepeated: true, completes: "file" },
  ],
  flags: {
    config: {
      ...CONFIG_FLAG,
      summary: "the wrangler config, in place of the one wrangler would find; the vpc config lies beside the first",
    },
    "dry-run": { type: "boolean", summary: "print what would change, and write nothing" },
  },
  examples: [
    { args: "services.json", summary: "an answer of the API" },
    { args: "main.tf variables.tf terraform.tfvars", summary: "Terraform files, with what sets their variables" },
    { args: "- --dry-run", summary: "what is piped in; only look" },
  ],
  exitCodes: {
    0: "all of it is in the vpc config",
    1: "a record could not be imported, or the vpc config could not be edited",
    2: "the command line can't be understood",
  },
  async run({ flags, positionals }, terminal) {
    const files = positionals.file.map((name) => readFile(name, terminal));
    const place = findPlace(flags.config, terminal);
    if (Array.isArray(place)) return fail(place, terminal);
    const target = await findTarget(place.folder);
    if (isDiagnostic(target)) return fail([target], terminal);

    const services = isTable(target.value) && isTable(target.value["services"]) ? target.value["services"] : {};
    const { records, diagnostics } = readImport(files, tunnelIdsKnown(target.value, place.bindings));
    if (target.kind === "foreign") return refuse(target.file, { records, diagnostics }, terminal);

    const outcomes = planImport(records, { services, bindings: place.bindings });
    const found = [...diagnostics, ...hintsOf(outcomes)];
    if (found.length > 0) terminal.printError(formatDiagnostics(found, terminal.cwd));
    const text = applyOutcomes(target.text, target.value, outcomes);
    const isChanged = text !== target.text && outcomes.some(isWritten);
    const failure = isChanged && !flags["dry-run"] ? writeConfigFile(target.file, text) : undefined;
    if (failure !== undefined) return fail([failure], terminal);
    if (found.length === 0 && outcomes.length === 0) {
      const names = positionals.file.map((name) => (name === "-" ? STANDARD_INPUT : quote(name)));
      terminal.print(`There is no VPC Service in ${names.join(", ")}, so there is nothing to import.`);
    }
    if (outcomes.length > 0) {
      const name = formatLocation({ file: target.file }, terminal.cwd);
      terminal.print(formatOutcomes(outcomes, { name, isDryRun: flags["dry-run"] }));
    }
    return hasErrors(diagnostics) ? PROBLEMS : FINE;
  },
});

function isWritten({ kind }: Outcome): boolean {
  return kind === "added" || kind === "changed";
}

function fail(diagnostics: readonly Diagnostic[], terminal: Terminal): number {
  terminal.printError(formatDiagnostics(diagnostics, terminal.cwd));
  return PROBLEMS;
}

function readFile(name: string, { cwd }: Terminal): ImportFile {
  try {
    if (name === "-") return { file: STANDARD_INPUT, bytes: readFileSync(0) };
    const file = path.resolve(cwd, name);
    return { file, bytes: readFileSync(file) };
  } catch (error) {
    throw new UsageError(`${quote(name)} can't be read: ${messageOf(error)}.`);
  }
}

interface Place {
  /** Where the vpc config is or would be. */
  folder: string;
  /** Of all environments. */
  bindings: VpcBinding[];
}

/** Beside the wrangler config; without one, in the working directory. */
function findPlace(configs: readonly string[], { cwd }: Terminal): Place | Diagnostic[] {
  const sources = findConfigs({ configs: configs.map((text) => ({ text })) }, cwd);
  if (isDiagnostic(sources)) return [sources];
  const [first] = sources;
  if (first === undefined) return { folder: cwd, bindings: [] };
  const project = readProject({ configs, cwd });
  if (hasErrors(project.diagnostics)) return [...project.diagnostics];
  const bindings = project.environments.flatMap((env) =>
    readEnvironment(project, env).workers.flatMap((worker) => worker.bindings),
  );
  return { folder: path.dirname(first.userFile), bindings };
}

/** The vpc config to edit; `foreign`: one that is not JSON. */
type Target = { file: string; value: unknown } & ({ kind: "json"; text: string | undefined } | { kind: "foreign" });

async function findTarget(folder: string): Promise<Target | Diagnostic> {
  const [name, ...others] = CONFIG_NAMES.filter((candidate) => existsSync(path.join(folder, candidate)));
  const file = path.join(folder, name ?? "vpc.jsonc");
  if (name === undefined) return { kind: "json", file, value: {}, text: undefined };
  // Which of them counts is not for a program to choose; nor is a program run to be edited.
  const isJson = /\.jsonc?$/.test(name);
  if (others.length === 0 && !isJson) return { kind: "foreign", file, value: {} };
  const { document, diagnostics } = others.length > 0 ? await readVpcIn(folder) : await readVpc(file);
  const [first] = diagnostics;
  if (first !== undefined) return first;
  const value = document?.value;
  const isEditable = isTable(value) && (value["services"] === undefined || isTable(value["services"]));
  if (isEditable) return { kind: "json", file, value, text: readFileSync(file, "utf8") };
  return {
    severity: "error",
    code: "invalid-config",
    text: 'this vpc config has no "services" to import into, and no room for them',
    file,
    notes: ['Write { "services": {} }.'],
  };
}

function tunnelIdsKnown(config: unknown, bindings: readonly VpcBinding[]): string[] {
  const networks = isTable(config) && isTable(config["networks"]) ? Object.keys(config["networks"]) : [];
  const bound = bindings.filter(({ bindingType }) => bindingType === "vpc-network").map(({ id }) => id);
  return [...tunnelIdsIn(config), ...[...networks, ...bound].filter(isUuid)];
}

/** A config that is not JSON is not edited; what to put into it is printed. */
function refuse(
  file: string,
  { records, diagnostics }: { records: readonly ImportedRecord[]; diagnostics: readonly Diagnostic[] },
  terminal: Terminal,
): number {
  const isToml = file.endsWith(".toml");
  const notEditable: Diagnostic = {
    severity: "error",
    code: "config-not-editable",
    text: `only vpc.jsonc and vpc.json are edited, so nothing was imported`,
    file,
    notes: records.length === 0 ? [] : [isToml ? "Put this into it:" : 'Put this into its "services":'],
  };
  const services = records.map(({ serviceId, label, fields }) => [serviceId ?? label, fields] as const);
  fail([...diagnostics, notEditable], terminal);
  const lines = services.map(([key, value]) => `  ${JSON.stringify(key)}: ${formatJson(value, LAYOUT)},`);
  if (services.length > 0) terminal.print(isToml ? formatTomlServices(services) : lines.join("\n"));
  return PROBLEMS;
}

const LAYOUT = { indent: "  ", unit: "  ", lineEnd: "\n" };
