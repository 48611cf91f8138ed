/**
 * Adds the routes of the networks' compose files to a model. The user's own routes win. Decides whether this process is
 * inside of the network of their services.
 */

import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { formatLocation } from "../diagnostics.ts";
import type { Entry, NetworkModel, RouteModel, VpcModel } from "../model.ts";
import type { Path } from "../read/locate.ts";
import { type Place, type ReportCompose, reportComposeTo } from "./compose-node.ts";
import { parseComposeService } from "./parse-compose-service.ts";
import { type ComposeProject, readCompose } from "./read-compose.ts";
import type { Whereabouts } from "../system/whereabouts.ts";
import { findInside } from "./find-inside.ts";
import { toRoutes } from "./to-routes.ts";

export interface ComposeAddition {
  model: VpcModel;
  /** Absolute paths of compose files and .env files, including files that don't exist yet. */
  files: string[];
}

export async function addComposeRoutes(
  model: VpcModel,
  diagnostics: Diagnostic[],
  whereabouts: Whereabouts,
): Promise<ComposeAddition> {
  const files = new Set<string>();
  // Several networks may name the same compose file, but each mistake in it is reported once.
  const unique = new Map<string, Diagnostic>();

  async function withRoutes(entry: NetworkModel & { kind: "entry"; at: Path }): Promise<Entry<NetworkModel>> {
    const reported: Diagnostic[] = [];
    const report = reportComposeTo(reported);
    const project = readProject(entry, report);
    if (project.services.size === 0 && reported.length === 0) {
      const names = entry.compose.map(({ file }) => JSON.stringify(path.basename(file)));
      report({
        severity: "warning",
        code: "compose-empty",
        text:
          names.length === 1
            ? `${names[0]} has no services, so it adds no routes`
            : `${names.join(" and ")} have no services, so they add no routes`,
        at: placeOf([...entry.at, "compose"]),
      });
    }
    const services = [...project.services].map(([name, map]) => parseComposeService(name, map, report));
    const at = [...entry.at, "compose"];
    const { profiles } = project;
    const { routes: own, composeFrom: from } = entry;
    const reach = await findInside(services, { from, profiles, own, report, whereabouts, at: placeOf(at) });
    const added = toRoutes(services, { profiles, own, ...reach, report }).map(
      ({ text, match, ports, target, at: place, serviceName }): RouteModel => {
        const origin = formatLocation(place);
        const route = { text, match, target: Object.assign({ at }, target), at, origin, composeService: serviceName };
        return ports === undefined ? route : Object.assign(route, { ports });
      },
    );
    for (const diagnostic of reported) unique.set(JSON.stringify(diagnostic), diagnostic);
    return { ...entry, routes: [...entry.routes, ...added] };
  }

  function readProject({ compose, at }: NetworkModel & { at: Path }, report: ReportCompose): ComposeProject {
    try {
      return readCompose({
        files: compose.map((named) => ({ file: named.file, at: placeOf(named.at) })),
        environment: (name) => process.env[name],
        report,
        onFile: (file) => files.add(file),
      });
    } catch (error) {
      // The readers recurse once per level, so deep nesting overflows the stack.
      if (!(error instanceof RangeError)) throw error;
      const text = "the compose files are nested too deeply to be read";
      report({ code: "nested-too-deeply", text, at: placeOf([...at, "compose"]) });
      return { services: new Map(), profiles: [] };
    }
  }

  function placeOf(at: Path): Place {
    const { document } = model;
    return { file: document.file, ...document.locate(at, "value") };
  }

  const networks = new Map<string, Entry<NetworkModel>>();
  for (const [key, entry] of model.networks) {
    networks.set(key, entry.kind === "entry" && entry.compose.length > 0 ? await withRoutes(entry) : entry);
  }
  for (const diagnostic of unique.values()) diagnostics.push(diagnostic);
  return { model: { ...model, networks }, files: [...files] };
}
