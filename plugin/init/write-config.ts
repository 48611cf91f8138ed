/**
 * Writes the text of a new vpc.jsonc: an entry for each service or network, with a comment that names its bindings
 * and the reason for the guess. Pure.
 */

import { passwordVariable } from "../parse/parse-hyperdrive.ts";
import type { DatabaseGuess, Guess } from "./guess-targets.ts";

export interface NewConfig {
  /** The path of the JSON schema, relative to the file. */
  schema: string;
  services: NewService[];
  networks: NewNetwork[];
  databases: NewDatabase[];
}

interface NewEntry {
  /** The service_id, tunnel_id or network_id. */
  id: string;
  /** Its bindings, such as `env.USERS (staging)`. */
  uses: string;
}

export interface NewService extends NewEntry {
  guess: Guess;
}

/** Of a Hyperdrive binding. */
export interface NewDatabase extends NewEntry {
  bindingName: string;
  guess: DatabaseGuess;
}

export interface NewNetwork extends NewEntry {
  /** Compose files, relative to the file. */
  compose: string[];
  /** Whether their services are reached from inside of their network, where nothing has to be published. */
  isInside: boolean;
  /** Targets of the example routes, which are commented out. */
  examples: string[];
  /** Whether it reaches public hosts in production. */
  isPublic: boolean;
}

export function writeConfig({ schema, services, networks, databases }: NewConfig): string {
  const servers = serversOf(databases);
  const sections = [
    `  "$schema": ${JSON.stringify(schema)}`,
    ...section("services", [...services.map(writeService), ...servers.map(writeServer)]),
    ...section("networks", networks.map(writeNetwork)),
    ...section("hyperdrive", servers.flatMap(writeHyperdrive)),
  ];
  return `// Maps the private services of the wrangler config beside this file to addresses on this machine.
// "miniflare-vpc init" wrote it as a start. Correct the targets, then run "miniflare-vpc check --probe".
{
${sections.join(",\n")}
}
`;
}

function section(name: string, entries: readonly string[]): string[] {
  return entries.length === 0 ? [] : [`  ${JSON.stringify(name)}: {\n${entries.join(",\n")}\n  }`];
}

function writeService({ id, uses, guess }: NewService): string {
  return `    // ${oneLine(uses)}: ${oneLine(guess.because)}
    ${JSON.stringify(id)}: ${JSON.stringify(guess.target)}`;
}

/** The service of databases that are on the same server. */
interface DatabaseServer {
  key: string;
  databases: [NewDatabase, ...NewDatabase[]];
}

/** Bindings of the same name, such as those of several environments, share a service if their targets are the same. */
function serversOf(databases: readonly NewDatabase[]): DatabaseServer[] {
  const servers = new Map<string, DatabaseServer>();
  for (const database of databases) {
    const name = `${database.bindingName.toLowerCase()}-server`;
    let key = name;
    for (let next = 2; ; next++) {
      const known = servers.get(key);
      if (known === undefined) {
        servers.set(key, { key, databases: [database] });
        break;
      }
      if (known.databases[0].guess.target === database.guess.target) {
        known.databases.push(database);
        break;
      }
      key = `${name}-${next}`;
    }
  }
  return [...servers.values()];
}

function writeServer({ key, databases }: DatabaseServer): string {
  const [{ guess }] = databases;
  const uses = databases.map((database) => oneLine(database.uses)).join(", ");
  return `    // ${uses}, by "hyperdrive": ${oneLine(guess.because)}
    ${JSON.stringify(key)}: ${JSON.stringify(guess.target)}`;
}

function writeHyperdrive({ key, databases }: DatabaseServer): string[] {
  return databases.map((database) => writeDatabase(database, key));
}

function writeDatabase(database: NewDatabase, service: string): string {
  const variable = passwordVariable(database.bindingName);
  const { database: databaseName, user, scheme } = database.guess;
  const value = { service, database: databaseName, user, passwordEnv: variable, scheme };
  const fields = Object.entries(value).map(
    ([field, text]) => `      ${JSON.stringify(field)}: ${JSON.stringify(text)}`,
  );
  return `    // ${oneLine(database.uses)}: correct the database and the user, and set the variable ${variable}.
    ${JSON.stringify(database.id)}: {
${fields.join(",\n")}
    }`;
}

function writeNetwork({ id, uses, compose, isInside, examples, isPublic }: NewNetwork): string {
  const [only, ...more] = compose.map((file) => JSON.stringify(`./${file}`));
  const composeValue = more.length === 0 ? only : `[${[only, ...more].join(", ")}]`;
  const lines = [
    `    // ${oneLine(uses)}`,
    `    ${JSON.stringify(id)}: {`,
    ...(composeValue === undefined
      ? []
      : [
          isInside
            ? "      // This is a container of their network: the Worker reaches each service by its name and its port."
            : "      // The Worker reaches each published service by its name and its container port.",
          `      "compose": ${composeValue},`,
        ]),
    `      "routes": {`,
    "        // Each destination that the Worker asks for, and its address on this machine. For example:",
    ...examples.map(
      (target, index) => `        // ${JSON.stringify(EXAMPLES[index % EXAMPLES.length])}: ${JSON.stringify(target)},`,
    ),
    `        // "10.0.0.0/8": "passthrough",`,
    ...(isPublic
      ? ["        // In production, this network also reaches public hosts:", `        // "*": "passthrough",`]
      : []),
    "      }",
    "    }",
  ];
  return lines.join("\n");
}

/** Removes line breaks: a name may contain them, but they would end a comment or a row of a table. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

const EXAMPLES = ["users.internal", "*.internal", "10.0.1.50", "db.internal:5432"];
