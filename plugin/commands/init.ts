/**
 * `miniflare-vpc init`: writes a first vpc.jsonc for the bindings of the wrangler config.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { formatDiagnostics, formatLocation, hasErrors } from "../diagnostics.ts";
import type { FoundCompose } from "../init/find-compose.ts";
import { guessDatabase, guessTargets, isHttpLike } from "../init/guess-targets.ts";
import type { Whereabouts } from "../system/whereabouts.ts";
import { listeningPorts } from "../init/listening-ports.ts";
import { type NewConfig, oneLine, writeConfig } from "../init/write-config.ts";
import { MESH_ID } from "../../service-worker/routing/table.ts";
import { type VpcBinding, entryKey } from "../model.ts";
import { passwordVariable } from "../parse/parse-hyperdrive.ts";
import { CONFIG_NAMES, findMisnamed } from "../read/read-vpc.ts";
import { type Command, FINE, PROBLEMS } from "./command.ts";
import { defineCommand } from "./define-command.ts";
import { CONFIG_FLAG } from "./config-flags.ts";
import { formatRows } from "./help.ts";
import { type Project, readEnvironment, readProject } from "./read-project.ts";
import { writeConfigFile } from "./write-config-file.ts";

/** The number of example lines in each network. */
const MAX_EXAMPLES = 4;

/** @param findPorts finds the ports of this machine that a program listens on */
export function createInit(findPorts: () => Promise<number[]>, whereabouts?: Whereabouts): Command {
  return defineCommand({
    name: "init",
    summary: "write a first vpc.jsonc for the bindings of the wrangler config",
    description: `Reads all environments of the wrangler config, and writes a commented vpc.jsonc next to it with one entry for each
VPC binding. The targets are guesses, based on the binding's name, on the ports that something listens on now, and on the
compose file in the folder, if there is one. It never replaces a vpc config without --force.`,
    positionals: [],
    flags: {
      config: CONFIG_FLAG,
      force: { type: "boolean", summary: "replace an existing vpc.jsonc" },
    },
    examples: [
      { args: "", summary: "for the wrangler config here" },
      {
        args: "-c api/wrangler.toml -c web/wrangler.toml",
        summary: "for two Workers: a vpc.jsonc next to each config",
      },
    ],
    exitCodes: {
      0: "the file is written",
      1: "a vpc config already exists, there are no bindings, or a file can't be read or written",
      2: "the command line is invalid, or there is no wrangler config",
    },
    async run({ flags }, terminal) {
      const project = readProject({ configs: flags.config, cwd: terminal.cwd });
      if (project.diagnostics.length > 0) terminal.printError(formatDiagnostics(project.diagnostics, terminal.cwd));
      if (hasErrors(project.diagnostics)) return PROBLEMS;
      const left = project.environments.flatMap((env) => readEnvironment(project, env).diagnostics);
      if (left.length > 0) terminal.printError(formatDiagnostics(left, terminal.cwd));
      const byFolder = Map.groupBy(project.configs, ({ userFile }) => path.dirname(userFile));
      const ports = await findPorts();
      // Imported here, because its YAML parser is slow to load and every command would wait for it.
      const { findCompose } = await import("../init/find-compose.ts");
      const planning = [...byFolder].map(async ([folder, configs]) => ({
        folder,
        wrangler: configs.map(({ userFile }) => formatLocation({ file: userFile }, terminal.cwd)).join(" and "),
        config: planConfig({
          folder,
          ports,
          compose: await findCompose(folder, whereabouts),
          project: { ...project, configs },
        }),
      }));
      const plans = await Promise.all(planning);
      // Every file is checked before the first one is written.
      const bound = plans.filter(
        ({ config: { services, networks, databases } }) => services.length + networks.length + databases.length > 0,
      );
      if (bound.length === 0) {
        const names = plans.map(({ wrangler }) => wrangler).join(" and ");
        terminal.printError(
          `There are no VPC bindings in ${names}, so there is nothing to write. Add some to "vpc_services", "vpc_networks" or "hyperdrive".`,
        );
        return PROBLEMS;
      }
      const problems = bound.flatMap(
        ({ folder }) => findObstacle(folder, { cwd: terminal.cwd, isForced: flags.force }) ?? [],
      );
      if (problems.length > 0) {
        terminal.printError(problems.join("\n"));
        return PROBLEMS;
      }
      for (const { folder, config } of bound) {
        const file = path.join(folder, existsSync(path.join(folder, "vpc.json")) ? "vpc.json" : "vpc.jsonc");
        const failure = writeConfigFile(file, writeConfig(config));
        if (failure !== undefined) {
          terminal.printError(formatDiagnostics([failure], terminal.cwd));
          return PROBLEMS;
        }
        terminal.print(`Wrote ${formatLocation({ file }, terminal.cwd)}:\n${formatRows(rowsOf(config))}`);
      }
      terminal.print(
        '\nNext: check the targets, which are guesses. Then type "miniflare-vpc check --probe" to see which of them answer,\nand "miniflare-vpc dev" to start.',
      );
      return FINE;
    },
  });
}

export const init: Command = createInit(listeningPorts);

/** @returns the reason why nothing can be written into a folder */
function findObstacle(folder: string, { cwd, isForced }: { cwd: string; isForced: boolean }): string | undefined {
  const misnamed = findMisnamed(folder);
  if (misnamed !== undefined) return formatDiagnostics([misnamed], cwd);
  const present = CONFIG_NAMES.filter((name) => existsSync(path.join(folder, name)));
  const [found] = present;
  if (found === undefined) return undefined;
  const file = formatLocation({ file: path.join(folder, found) }, cwd);
  if (present.length > 1 || !/\.jsonc?$/.test(found)) {
    return `${file} already exists, and a folder can have only one vpc config. To get a vpc.jsonc, remove it first.`;
  }
  return isForced
    ? undefined
    : `${file} already exists. "--force" replaces it; "miniflare-vpc check" shows what is missing.`;
}

interface Planning {
  folder: string;
  ports: readonly number[];
  compose: FoundCompose | undefined;
  /** Has only the Workers of this folder. */
  project: Project;
}

function planConfig({ folder, ports, compose, project }: Planning): NewConfig {
  const used = usesOf(project);
  const services = used.filter(({ bindingType }) => bindingType === "vpc-service");
  const networks = used.filter(({ bindingType }) => bindingType === "vpc-network");
  const databases = used.filter(({ bindingType }) => bindingType === "hyperdrive");
  const guesses = guessTargets(
    services.map(({ bindingName }) => bindingName),
    { ports, composeServices: compose?.services ?? [] },
  );
  const composeFiles = compose === undefined || compose.isBroken ? [] : compose.files;
  // The mesh has the routes of all tunnels.
  const hasTunnel = networks.some(({ id }) => id !== MESH_ID);
  const examples = [...ports.filter(isHttpLike).map((port) => `localhost:${port}`), "localhost:3000"].slice(
    0,
    MAX_EXAMPLES,
  );
  const surroundings = { ports, composeServices: compose?.services ?? [] };
  return {
    schema: schemaFrom(folder),
    databases: databases.map(({ id, bindingName, uses }) => ({
      id,
      uses,
      bindingName,
      guess: guessDatabase(bindingName, surroundings),
    })),
    services: services.flatMap(({ id, uses }, index) => {
      const guess = guesses[index];
      return guess === undefined ? [] : [{ id, uses, guess }];
    }),
    networks: networks.map(({ id, uses }) => ({
      id,
      uses,
      compose: id === MESH_ID && hasTunnel ? [] : composeFiles,
      isInside: compose?.isInside ?? false,
      examples,
      isPublic: id === MESH_ID,
    })),
  };
}

interface Used {
  id: string;
  bindingType: VpcBinding["bindingType"];
  /** The name of the first binding. */
  bindingName: string;
  /** All bindings, for people to read. */
  uses: string;
}

/** The services and networks of the bindings of all environments, each once. */
function usesOf(project: Project): Used[] {
  const bindings = project.environments.flatMap((env) =>
    readEnvironment(project, env).workers.flatMap((worker) =>
      worker.bindings.flatMap((binding) =>
        binding.ownString === undefined ? [{ ...binding, env: env ?? "top level" }] : [],
      ),
    ),
  );
  const hasEnvironments = project.environments.length > 1;
  return [...Map.groupBy(bindings, ({ bindingType, id }) => `${bindingType} ${entryKey(id)}`).values()].flatMap(
    (same) => {
      const [first] = same;
      if (first === undefined) return [];
      const names = [...Map.groupBy(same, ({ bindingName }) => bindingName)].map(([name, each]) => {
        const environments = [...new Set(each.map(({ env }) => env))].join(", ");
        return hasEnvironments ? `env.${name} (${environments})` : `env.${name}`;
      });
      const { id, bindingType, bindingName } = first;
      return [{ id, bindingType, bindingName, uses: names.join(", ") }];
    },
  );
}

/** The path of the schema in the nearest installation, relative to a folder. */
function schemaFrom(folder: string): string {
  const inside = path.join("node_modules", "miniflare-vpc");
  let up = folder;
  while (!existsSync(path.join(up, inside)) && path.dirname(up) !== up) up = path.dirname(up);
  const base = existsSync(path.join(up, inside)) ? up : folder;
  const relative = path
    .relative(folder, path.join(base, inside, "vpc.schema.json"))
    .split(path.sep)
    .join("/");
  return relative.startsWith("..") ? relative : `./${relative}`;
}

function rowsOf({ services, networks, databases }: NewConfig): [string, string][] {
  return [
    ...services.map(({ uses, guess }): [string, string] => [oneLine(uses), `→ ${guess.target}  ${guess.because}`]),
    ...databases.map(({ uses, guess, bindingName }): [string, string] => [
      oneLine(uses),
      `→ ${guess.target}  ${guess.because}; set ${passwordVariable(bindingName)}`,
    ]),
    ...networks.map(({ uses, compose }): [string, string] => [
      oneLine(uses),
      compose.length === 0 ? 'no routes yet: add them to "routes"' : `the services of ${compose.join(" and ")}`,
    ]),
  ];
}
