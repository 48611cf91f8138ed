/**
 * Parses an entry of "networks": its routes, and conflicts between them.
 */

import path from "node:path";

import { isProblem } from "../../service-worker/routing/address.ts";
import { matchKey } from "../../service-worker/routing/table.ts";
import { didYouMean } from "../diagnostics.ts";
import type { ComposeEntry } from "../config.ts";
import { type Checked, checkFields } from "./check-fields.ts";
import { networkFields } from "./config-schema.ts";
import { isFileName } from "./file-name.ts";
import { parseCa } from "./parse-ca.ts";
import { parseLimits } from "./parse-limits.ts";
import { parseResolvers } from "./parse-resolvers.ts";
import { formatDestination, parseDestination } from "./parse-destination.ts";
import { type Parsing, isPlainObject, placeOf, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { Entry, NetworkModel, RouteModel } from "../model.ts";
import { findOverlaps, formatSharedPorts } from "./port-ranges.ts";
import { parseRouteEntry } from "./parse-route-entry.ts";
import { isTargetObject } from "./parse-target.ts";

export function parseNetwork(
  { key, value, at }: { key: string; value: unknown; at: Path },
  parsing: Parsing,
): Entry<NetworkModel> {
  if (value === "remote") return { kind: "remote", at };
  if (!isPlainObject(value)) {
    parsing.report({
      code: "invalid-network",
      text: `the network ${quote(key)} is ${quote(value)}, but must be an object or "remote"`,
      at,
      notes: ['Write { "routes": { "users.internal": "localhost:3000" } }.'],
    });
    return { kind: "broken", at };
  }
  const { misplaced, fields } = splitMisplaced(value);
  const [first] = misplaced;
  if (first !== undefined) {
    parsing.report({
      code: "misplaced-route",
      text: `${misplaced.map(quote).join(", ")} ${misplaced.length > 1 ? "are routes" : "is a route"}, but not under "routes"`,
      at: [...at, first],
      part: "key",
      notes: [`Write "routes": { ${quote(first)}: … }.`],
    });
  }
  const network = checkFields({ fields: networkFields, what: "a network", value: fields, at }, parsing);
  // Without spreads, which leave room for more in each list, because there can be very many.
  const routes: ParsedRoute[] = [];
  for (const [text, entry] of Object.entries(network.routes ?? {})) {
    // An undefined route of a vpc.config.ts was left out on purpose.
    if (entry === undefined) continue;
    const route = parseRoute({ text, entry, at: at.concat("routes", text) }, parsing);
    if (route !== undefined) routes.push(route);
  }
  checkOverlaps(routes, parsing);
  return {
    kind: "entry",
    at,
    networkId: key,
    ca: parseCa({ value: value["ca"], at: [...at, "ca"] }, parsing),
    tlsMode: network.tls_settings?.cert_verification_mode ?? "verify_full",
    limits: parseLimits(network),
    ...parseCompose({ value: network.compose, written: value["compose"], at: [...at, "compose"] }, parsing),
    resolvers: parseResolvers({ value: value["resolver_ips"], at: [...at, "resolver_ips"] }, parsing),
    routes: routes.filter((route): route is RouteModel => route.target !== undefined),
  };
}

function parseCompose(
  {
    value,
    written,
    at,
  }: { written: unknown; value: Checked<ComposeEntry> | string | readonly string[] | undefined; at: Path },
  parsing: Parsing,
): Pick<NetworkModel, "compose" | "composeFrom"> {
  if (value === undefined) return { compose: [], composeFrom: "auto" };
  const { files = [], from = "auto" } = isPlainObject(value) ? value : { files: value };
  const place = isPlainObject(value) && value.files !== undefined ? [...at, "files"] : at;
  // A value of another type is an error already.
  const names = isPlainObject(written) ? written["files"] : written;
  if (Array.isArray(names) && names.length === 0) {
    parsing.report({
      severity: "warning",
      code: "compose-empty",
      text: `"compose" names no file, so it adds no routes`,
      at: place,
      notes: ['Name a compose file, such as "./compose.yaml", or remove "compose".'],
    });
  }
  return { compose: parseComposeNames(files, place, parsing), composeFrom: from };
}

function parseComposeNames(names: string | readonly string[], at: Path, parsing: Parsing): NetworkModel["compose"] {
  const written =
    typeof names === "string" ? [{ name: names, at }] : names.map((name, index) => ({ name, at: [...at, index] }));
  return written
    .filter((each) => isFileName({ ...each, what: "the compose file", example: "./compose.yaml" }, parsing))
    .map(({ name, at: place }) => ({ file: path.resolve(parsing.document.folder, name), at: place }));
}

/** Separates the fields of a network that are misplaced routes. */
function splitMisplaced(value: Record<string, unknown>): { misplaced: string[]; fields: Record<string, unknown> } {
  const names = Object.keys(networkFields);
  const misplaced = Object.keys(value).filter(
    (key) => didYouMean(key, names) === undefined && isTargetLike(value[key]) && !isProblem(parseDestination(key)),
  );
  const fields = Object.entries(value).filter(([key]) => !misplaced.includes(key));
  return { misplaced, fields: Object.fromEntries(fields) };
}

function isTargetLike(value: unknown): boolean {
  return typeof value === "string" || isTargetObject(value) || (isPlainObject(value) && Object.hasOwn(value, "target"));
}

/** A route with a valid destination. The target is undefined if it is invalid. */
type ParsedRoute = Omit<RouteModel, "target"> & { target: RouteModel["target"] | undefined };

function parseRoute(
  { text, entry, at }: { text: string; entry: unknown; at: Path },
  parsing: Parsing,
): ParsedRoute | undefined {
  const parsed = parseRouteEntry(entry, at, parsing);
  const destination = parseDestination(text);
  if (isProblem(destination)) {
    parsing.report({
      code: "invalid-destination",
      text: `the destination ${quote(text)} ${destination.problem}`,
      at,
      part: "key",
      notes: [destination.note],
    });
    return undefined;
  }
  const { match, ports } = destination;
  const { target, settings } = parsed;
  const route: ParsedRoute = { text, match, target, at };
  // No spreads, because there can be very many.
  if (ports !== undefined) route.ports = ports;
  if (settings !== undefined) route.settings = settings;
  return route;
}

function checkOverlaps(routes: readonly ParsedRoute[], { document, report }: Parsing): void {
  const keys = new Set(routes.map((route) => matchKey(route.match)));
  if (keys.size === routes.length) return;
  for (const same of Map.groupBy(routes, (route) => matchKey(route.match)).values()) {
    for (const { earlier, later, isEqual } of findOverlaps(same)) {
      const place = placeOf(document, earlier.at);
      if (isEqual) {
        report({
          code: "duplicate-destination",
          text: `${quote(later.text)} is the same destination as ${quote(earlier.text)} on ${place}`,
          at: later.at,
          part: "key",
          notes: [`Both are ${formatDestination(later)}; remove one of them.`],
        });
      } else {
        report({
          code: "overlapping-ports",
          text: `the ports of ${quote(later.text)} overlap with those of ${quote(earlier.text)} on ${place}`,
          at: later.at,
          part: "key",
          notes: [
            `Neither range is inside the other, so neither wins for ${formatSharedPorts(earlier, later)}. Split one of them.`,
          ],
        });
      }
    }
  }
}
