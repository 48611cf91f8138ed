/**
 * Finds the compose file of a folder, as Docker Compose does, and the ports that it publishes.
 */

import { existsSync } from "node:fs";
import path from "node:path";

import { reportComposeTo } from "../compose/compose-node.ts";
import { findInside } from "../compose/find-inside.ts";
import { parseComposeService } from "../compose/parse-compose-service.ts";
import { readCompose } from "../compose/read-compose.ts";
import { toRoutes } from "../compose/to-routes.ts";
import { type Diagnostic, hasErrors } from "../diagnostics.ts";
import { type Whereabouts, makeWhereabouts } from "../system/whereabouts.ts";
import { composeDatabase } from "./compose-database.ts";
import type { ComposeCandidate } from "./guess-targets.ts";

/** In order of preference. The first override file that exists is merged over the first of these. */
const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

export interface FoundCompose {
  /** File names in the folder. Each file overrides the files before it. */
  files: string[];
  /** Whether a vpc config that names them would have errors. */
  isBroken: boolean;
  services: ComposeCandidate[];
  /** Whether this is a container in which the name of a service resolves. */
  isInside: boolean;
}

/** @param folder absolute */
export async function findCompose(
  folder: string,
  whereabouts: Whereabouts = makeWhereabouts(),
): Promise<FoundCompose | undefined> {
  const main = NAMES.find((name) => existsSync(path.join(folder, name)));
  if (main === undefined) return undefined;
  const files = [main, ...OVERRIDES.filter((name) => existsSync(path.join(folder, name))).slice(0, 1)];
  const diagnostics: Diagnostic[] = [];
  const report = reportComposeTo(diagnostics);
  const project = readCompose({
    files: files.map((name) => ({ file: path.join(folder, name), at: { file: folder } })),
    environment: (name) => process.env[name],
    report,
    onFile: () => undefined,
  });
  const parsed = [...project.services].map(([name, map]) => parseComposeService(name, map, report));
  const services = new Map<string, ComposeCandidate>();
  const { profiles } = project;
  const own: [] = [];
  const at = { file: folder };
  const reach = await findInside(parsed, { from: "auto", profiles, own, report, whereabouts, at });
  for (const { serviceName, ports, target } of toRoutes(parsed, { profiles, own, ...reach, report })) {
    if (ports === undefined || services.has(serviceName)) continue;
    const { host, port = ports.from } = target;
    const map = project.services.get(serviceName);
    const database = map && composeDatabase(map, ports.from);
    services.set(serviceName, { serviceName, host, port, containerPort: ports.from, ...(database && { database }) });
  }
  return { files, isBroken: hasErrors(diagnostics), services: [...services.values()], isInside: reach.inside.size > 0 };
}
