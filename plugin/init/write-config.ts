/**
 * The text of a new vpc.jsonc: an entry for each binding, with a comment that says whose it is and what the guess
 * rests on. Pure.
 */

import type { Guess } from "./guess-targets.ts";

export interface NewConfig {
  /** Relative to the file. */
  schema: string;
  services: NewService[];
  networks: NewNetwork[];
}

interface NewEntry {
  /** The service_id, tunnel_id or network_id. */
  id: string;
  /** Which bindings it is for: `env.USERS (staging)`. */
  uses: string;
}

export interface NewService extends NewEntry {
  guess: Guess;
}

export interface NewNetwork extends NewEntry {
  /** Compose files, relative to the file. */
  compose: string[];
  /** Targets to choose from, for lines to uncomment. */
  examples: string[];
}

export function writeConfig({ schema, services, networks }: NewConfig): string {
  const sections = [
    `  "$schema": ${JSON.stringify(schema)}`,
    ...section("services", services.map(writeService)),
    ...section("networks", networks.map(writeNetwork)),
  ];
  return `// Where the private services of the wrangler config beside this file are on this machine.
// Written by "miniflare-vpc init", and yours from here on: correct the targets, then type "miniflare-vpc check --probe".
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

function writeNetwork({ id, uses, compose, examples }: NewNetwork): string {
  const [only, ...more] = compose.map((file) => JSON.stringify(`./${file}`));
  const composeValue = more.length === 0 ? only : `[${[only, ...more].join(", ")}]`;
  const lines = [
    `    // ${oneLine(uses)}`,
    `    ${JSON.stringify(id)}: {`,
    ...(composeValue === undefined
      ? []
      : [
          "      // Each service of it is reached by its name, at the port it publishes.",
          `      "compose": ${composeValue},`,
        ]),
    `      "routes": {`,
    "        // What the Worker asks for, and where that is here. For example:",
    ...examples.map(
      (target, index) => `        // ${JSON.stringify(EXAMPLES[index % EXAMPLES.length])}: ${JSON.stringify(target)},`,
    ),
    `        // "10.0.0.0/8": "passthrough",`,
    "      }",
    "    }",
  ];
  return lines.join("\n");
}

/** A name may hold anything; a comment ends with its line, and so does a row of a table. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

const EXAMPLES = ["users.internal", "*.internal", "10.0.1.50", "db.internal:5432"];
