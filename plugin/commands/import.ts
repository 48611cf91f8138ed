/**
 * `miniflare-vpc import`: writes VPC Service records from files into the vpc config.
 */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { type Diagnostic, formatDiagnostics, formatLocation, hasErrors, isDiagnostic } from "../diagnostics.ts";
import { findConfigs } from "../wrangler-config/find-configs.ts";
import { messageOf } from "../system/error.ts";
import { applyDatabases, applyPlan } from "../import/apply-plan.ts";
import { type PlannedDatabase, planDatabases } from "../import/database.ts";
import { formatJson } from "../import/format-json.ts";
import { formatTomlSection } from "../import/format-toml.ts";
import { type PlannedRecord, planImport } from "../import/plan-import.ts";
import { type ImportFile, readImport, tunnelIdsIn } from "../import/read-import.ts";
import type { ImportResult } from "../import/record.ts";
import { entryKey, type VpcBinding, isUuid } from "../model.ts";
import { isPlainObject, quote } from "../read/document.ts";
import { CONFIG_NAMES, findMisnamed, readVpc, readVpcIn } from "../read/read-vpc.ts";
import { type Command, FINE, PROBLEMS } from "./command.ts";
import { defineCommand } from "./define-command.ts";
import { CONFIG_FLAG } from "./config-flags.ts";
import { formatPlan, hintsOf, missingCertificatesOf } from "./import-text.ts";
import { readEnvironment, readProject } from "./read-project.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";
import { writeConfigFile } from "./write-config-file.ts";

const STANDARD_INPUT = "<standard input>";

export const importRecords: Command = defineCommand({
  name: "import",
  summary: "write VPC Service records from the API, wrangler or Terraform into vpc.jsonc",
  description: `Reads VPC Service records and writes them into the vpc.jsonc (or vpc.json) next to the wrangler config, or creates one.
Comments, order and your own keys, such as "target", stay. Records that are already there are updated.

Each file is one of these: an API response (a record, a list, or the whole envelope); the output of "wrangler vpc service
get" or "list"; Terraform files, where literals, variables and locals are understood; the Terraform state, or the output
of "terraform show -json" for a state or a plan. A Hyperdrive configuration whose database is behind a VPC Service, as
the API returns it, becomes an entry of "hyperdrive". It has no password, so the entry names a variable for it.`,
  positionals: [
    { name: "file", summary: 'the file to import; "-" is the standard input', isRepeated: true, completes: "file" },
  ],
  flags: {
    config: {
      ...CONFIG_FLAG,
      summary: "the wrangler config, instead of the one that wrangler finds; the vpc config is next to the first one",
    },
    "dry-run": { type: "boolean", summary: "print the changes, and write nothing" },
  },
  examples: [
    { args: "services.json", summary: "an API response" },
    { args: "main.tf variables.tf terraform.tfvars", summary: "Terraform files, with those that set their variables" },
    { args: "- --dry-run", summary: "the standard input; only print the changes" },
  ],
  exitCodes: {
    0: "every record is in the vpc config",
    1: "a record could not be imported, or the vpc config could not be edited",
    2: "the command line is invalid, or a file that it names can't be read",
  },
  async run({ flags, positionals }, terminal) {
    const files = positionals.file.map((name) => readFile(name, terminal));
    const place = findPlace(flags.config, terminal);
    if (Array.isArray(place)) return fail(place, terminal);
    const target = await findTarget(place.folder);
    if (isDiagnostic(target)) return fail([target], terminal);

    const services = sectionOf(target.value, "services");
    const { records, databases, diagnostics } = readImport(files, tunnelIdsKnown(target.value, place.bindings));
    if (target.kind === "foreign") return refuse(target.file, { records, databases, diagnostics }, terminal);

    const plan = planImport(records, { services, bindings: place.bindings });
    const planned = planDatabases(databases, {
      services: { ...services, ...Object.fromEntries(plan.map(({ key }) => [key, {}])) },
      hyperdrive: sectionOf(target.value, "hyperdrive"),
      bindings: place.bindings,
    });
    const name = formatLocation({ file: target.file }, terminal.cwd);
    const allServices = [...Object.keys(services), ...plan.map(({ key }) => key)];
    const lacking = missingServicesOf(planned, { services: allServices, file: target.file });
    const found = [...diagnostics, ...lacking, ...hintsOf(plan), ...missingCertificatesOf(plan, target.value, name)];
    if (found.length > 0) terminal.printError(formatDiagnostics(found, terminal.cwd));
    const text = applyDatabases(applyPlan(target.text, target.value, plan), target.value, planned);
    const isChanged = text !== target.text && [...plan, ...planned].some(isWritten);
    const failure = isChanged && !flags["dry-run"] ? writeConfigFile(target.file, text) : undefined;
    if (failure !== undefined) return fail([failure], terminal);
    if (found.length === 0 && plan.length + planned.length === 0) {
      const names = positionals.file.map((each) => (each === "-" ? STANDARD_INPUT : quote(each)));
      terminal.print(`There is no VPC Service in ${names.join(", ")}, so there is nothing to import.`);
    }
    if (plan.length + planned.length > 0 || (found.length > 0 && !hasErrors(found))) {
      terminal.print(formatPlan(plan, planned, { name, isDryRun: flags["dry-run"] }));
    }
    return hasErrors(diagnostics) ? PROBLEMS : FINE;
  },
});

function sectionOf(config: unknown, section: "services" | "hyperdrive"): Record<string, unknown> {
  const entries = isPlainObject(config) ? config[section] : undefined;
  return isPlainObject(entries) ? entries : {};
}

/** Warnings for Hyperdrive entries whose service the vpc config lacks: it can't start without it. */
function missingServicesOf(
  planned: readonly PlannedDatabase[],
  { services, file }: { services: readonly string[]; file: string },
): Diagnostic[] {
  const known = new Set(services.map(entryKey));
  const wanted = planned.flatMap((each) => {
    const { serviceId, label } = each.database;
    const isKnown = each.kind !== "added" || known.has(entryKey(each.value["service"] ?? serviceId));
    return isKnown ? [] : [{ serviceId, label }];
  });
  return wanted.map(({ serviceId, label }) => ({
    severity: "warning",
    code: "missing-service",
    text: `the Hyperdrive configuration ${quote(label)} leads to the service ${quote(serviceId)}, which "services" doesn't have`,
    file,
    notes: [
      `Import it too: npx wrangler vpc service get ${serviceId} > service.txt. Or add ${quote(serviceId)}: "localhost:5432" to "services".`,
    ],
  }));
}

function isWritten({ kind }: PlannedRecord | PlannedDatabase): boolean {
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
  /** The folder of the vpc config, which need not exist yet. */
  folder: string;
  /** The bindings of all environments. */
  bindings: VpcBinding[];
}

/** Next to the wrangler config, or in the working directory if there is none. */
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

/** The vpc config to edit. `foreign`: it is not JSON. */
type Target = { file: string; value: unknown } & ({ kind: "json"; text: string | undefined } | { kind: "foreign" });

async function findTarget(folder: string): Promise<Target | Diagnostic> {
  const misnamed = findMisnamed(folder);
  if (misnamed !== undefined) return misnamed;
  const [name, ...others] = CONFIG_NAMES.filter((candidate) => existsSync(path.join(folder, candidate)));
  const file = path.join(folder, name ?? "vpc.jsonc");
  if (name === undefined) return { kind: "json", file, value: {}, text: undefined };
  // If there are several configs, the user must choose one. A program can't be edited, so it is not run.
  const isJson = /\.jsonc?$/.test(name);
  if (others.length === 0 && !isJson) return { kind: "foreign", file, value: {} };
  const { document, diagnostics } = others.length > 0 ? await readVpcIn(folder) : await readVpc(file);
  const [first] = diagnostics;
  if (first !== undefined) return first;
  const value = document?.value;
  const isEditable = isPlainObject(value) && (value["services"] === undefined || isPlainObject(value["services"]));
  if (isEditable) return { kind: "json", file, value, text: readFileSync(file, "utf8") };
  return {
    severity: "error",
    code: "invalid-config",
    text: 'this vpc config has no "services" object to import into',
    file,
    notes: ['Write { "services": {} }.'],
  };
}

function tunnelIdsKnown(config: unknown, bindings: readonly VpcBinding[]): string[] {
  const networks = isPlainObject(config) && isPlainObject(config["networks"]) ? Object.keys(config["networks"]) : [];
  const bound = bindings.filter(({ bindingType }) => bindingType === "vpc-network").map(({ id }) => id);
  return [...tunnelIdsIn(config), ...[...networks, ...bound].filter(isUuid)];
}

/** Does not edit a config that isn't JSON, but prints what to add to it. */
function refuse(file: string, { records, databases, diagnostics }: Required<ImportResult>, terminal: Terminal): number {
  const isToml = file.endsWith(".toml");
  const notEditable: Diagnostic = {
    severity: "error",
    code: "config-not-editable",
    text: `only vpc.jsonc and vpc.json are edited, so nothing was imported`,
    file,
    notes: records.length + databases.length === 0 ? [] : [isToml ? "Add this to it:" : 'Add this to its "services":'],
  };
  const services = records.map(({ serviceId, label, fields }) => [serviceId ?? label, fields] as const);
  fail([...diagnostics, notEditable], terminal);
  const lines = services.map(([key, value]) => `  ${JSON.stringify(key)}: ${formatJson(value, LAYOUT)},`);
  if (services.length > 0) terminal.print(isToml ? formatTomlSection("services", services) : lines.join("\n"));
  for (const planned of planDatabases(databases, { services: {}, hyperdrive: {}, bindings: [] })) {
    if (planned.kind !== "added") continue;
    const { key, value } = planned;
    const line = `  ${JSON.stringify(key)}: ${formatJson(value, LAYOUT)},`;
    terminal.print(isToml ? formatTomlSection("hyperdrive", [[key, value]]) : `In its "hyperdrive":\n${line}`);
  }
  return PROBLEMS;
}

const LAYOUT = { indent: "  ", unit: "  ", lineEnd: "\n" };
