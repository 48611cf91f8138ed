/** Formats an explanation as lines for people. */

import { formatEndpoint } from "../../service-worker/routing/address.ts";
import type { Decision, Destination, Refusal } from "../../service-worker/routing/decide.ts";
import type { Asked, ExplainedLookup, Explanation, Passage } from "../../service-worker/routing/explain.ts";
import { type ForwardTarget, formatTarget } from "../../service-worker/routing/forward-target.ts";
import { describeIgnoredPort, portInUrl } from "../../service-worker/routing/ignored-port.ts";
import { proxyErrorMessage } from "../../service-worker/routing/error-codes.ts";
import type { Candidate } from "../../service-worker/routing/route-index.ts";
import type { Binding, Route, Service } from "../../service-worker/routing/table.ts";
import { destinationOf } from "../../service-worker/routing/transport.ts";
import { didYouMean, escapeControls } from "../diagnostics.ts";
import { formatOrigin } from "./format-origin.ts";
import { formatFault } from "./fault-words.ts";
import { WITHOUT_CERTIFICATE } from "../parse/parse-certificates.ts";
import { describeTrust, formatRoute, formatTableTarget } from "./format-target.ts";
import type { DatabaseLogin, VpcBinding } from "../model.ts";
import type { EnvironmentBinding } from "./chosen-environment.ts";
import type { Terminal } from "./terminal.ts";

export interface ExplainedCall {
  binding: Omit<EnvironmentBinding, "key">;
  asked: Asked;
  /** Undefined: the binding is left to wrangler. */
  explanation: Explanation | undefined;
  /** Of a Hyperdrive binding. Its password is never shown. */
  login?: Omit<DatabaseLogin, "password"> | undefined;
}

/** For people. */
export const KIND_NAMES: Record<VpcBinding["bindingType"], string> = {
  "vpc-service": "VPC Service",
  "vpc-network": "VPC Network",
  hyperdrive: "Hyperdrive",
};

/** A label, and the lines next to it. */
export type ExplainedRow = [label: string, ...lines: string[]];

const LABEL_WIDTH = 11;

/** What was asked, and the steps that decide it. */
export function explainInRows(
  { binding, asked, explanation, login }: ExplainedCall,
  paint: Terminal["paint"],
): { heading: string; rows: ExplainedRow[] } {
  const kind = KIND_NAMES[binding.bindingType];
  const call = asked.op === "hyperdrive" ? "" : `.${asked.op}(${JSON.stringify(formatAsked(asked))})`;
  const heading = `env.${binding.bindingName}${call}`;
  const rows: ExplainedRow[] = [
    ["binding", `${binding.bindingName} of Worker ${JSON.stringify(binding.workerName)}, ${kind} ${binding.id}`],
    ...(login === undefined ? [] : [describeLogin(login)]),
    ...(explanation === undefined ? [describeElsewhere(binding)] : describeSteps(explanation, asked, paint)),
  ];
  return { heading, rows };
}

export function describeExplanation(subject: ExplainedCall, { paint }: Pick<Terminal, "paint">): string {
  const { heading, rows } = explainInRows(subject, paint);
  const blocks = rows.map(([label, ...lines]) =>
    lines.map((line, index) => `${paint("dim", (index === 0 ? label : "").padEnd(LABEL_WIDTH))}${line}`).join("\n"),
  );
  return escapeAround(`${paint("bold", heading)}\n\n${blocks.join("\n")}`);
}

const REMOTE: ExplainedRow = [
  "remote",
  'The vpc config says "remote": wrangler\'s remote bindings serve it, and Cloudflare decides.',
];

function describeElsewhere({ ownString }: Pick<VpcBinding, "ownString">): ExplainedRow {
  if (ownString === undefined) return REMOTE;
  return ["wrangler", `It has a connection string of its own, ${ownString}, which wins over the vpc config.`];
}

function describeLogin({ scheme, user, database }: Omit<DatabaseLogin, "password">): ExplainedRow {
  return ["login", `${scheme}, user ${JSON.stringify(user)}, database ${JSON.stringify(database)}`];
}

// oxlint-disable-next-line no-control-regex
const COLOUR = /(\u001b\[\d+m)/;

/** Keeps our own colours, but escapes control characters, because text from a config can't be trusted. */
function escapeAround(text: string): string {
  const parts = text.split(COLOUR);
  return parts.map((part, index) => (index % 2 === 1 ? part : escapeControls(part))).join("");
}

export function formatAsked(asked: Asked): string {
  return asked.op === "fetch" ? asked.url.href : formatEndpoint(asked.host.text, asked.port);
}

function describeSteps(
  { decision, lookups, passage }: Explanation,
  asked: Asked,
  paint: Terminal["paint"],
): ExplainedRow[] {
  const steps: ExplainedRow[] = [
    ...describeRecord(decision, asked),
    ...lookups.flatMap((lookup) => describeLookup(lookup, decision.binding, paint)),
  ];
  if (decision.type === "refuse") return [...steps, ...describeRefusal(decision, lookups, paint)];
  const target: ExplainedRow = ["target", paint("green", formatForward(decision.to))];
  return [...steps, target, ...(passage === undefined ? [] : describePassage(passage, asked))];
}

export function formatForward(to: ForwardTarget): string {
  return to.type === "stand-in" ? formatTableTarget(to) : formatTarget(to);
}

function describeRecord(decision: Decision, asked: Asked): ExplainedRow[] {
  const { binding } = decision;
  if (binding.kind !== "service") return [];
  const { label, origin, target } = binding.service;
  const scheme = schemeOfAsked(asked);
  const own =
    target === undefined
      ? `its ${formatHosts(binding.service)} are used, not the ${scheme === "tcp" ? "address" : "URL"}'s`
      : `its target ${formatTableTarget(target)} is used, so no route applies`;
  const port = asked.op === "fetch" ? portInUrl(asked.url) : asked.port;
  const ignored = describeIgnoredPort(decision, { scheme, port });
  const faults = (binding.faults ?? []).map(formatFault);
  return [
    ["record", `${JSON.stringify(label)} at ${origin}`, own, ...faults, ...(ignored === undefined ? [] : [ignored])],
  ];
}

function schemeOfAsked(asked: Asked): Destination["scheme"] {
  return asked.op === "fetch" ? destinationOf(asked.url).scheme : "tcp";
}

function formatHosts({ hosts, httpPort, httpsPort, tcpPort }: Service): string {
  const ports = [
    ...(httpPort === undefined ? [] : [`${httpPort} for http:`]),
    ...(httpsPort === undefined ? [] : [`${httpsPort} for https:`]),
    ...(tcpPort === undefined ? [] : [`${tcpPort} for connect()`]),
  ];
  return `host ${hosts.join(", then ")} and port ${ports.join(", ")}`;
}

function describeLookup(
  { network, host, port, candidates }: ExplainedLookup,
  { configFile }: Binding,
  paint: Terminal["paint"],
): ExplainedRow[] {
  const destination = formatEndpoint(host.text, port);
  if (network === undefined)
    return [
      ["network", `has no entry in ${configFile}`],
      ["routes", `none match ${destination}`],
    ];
  const place = network.origin === "" ? `the routes of all networks in ${configFile}` : network.origin;
  return [
    ["network", `${network.networkId}, ${place}`],
    [
      "routes",
      `${candidates.length} of ${network.routes.length} match the host of ${destination}`,
      ...describeCandidates(candidates, paint),
    ],
  ];
}

function describeCandidates(candidates: readonly Candidate[], paint: Terminal["paint"]): string[] {
  const winner = candidates.find(({ outcome }) => outcome === "won")?.route;
  const cells = candidates.map((candidate) => {
    const { route } = candidate;
    return [route.text, `→ ${formatRoute(route)}`, formatOrigin(route), reasonOf(candidate, winner)] as const;
  });
  const widthOf = (column: 0 | 1 | 2): number => cells.reduce((width, row) => Math.max(width, row[column].length), 0);
  const [routeWidth, targetWidth, originWidth] = [widthOf(0), widthOf(1), widthOf(2)];
  return cells.map((row, index) => {
    const hasWon = candidates[index]?.outcome === "won";
    const mark = hasWon ? paint("green", "won ") : paint("dim", "lost");
    const columns = `${row[0].padEnd(routeWidth)}  ${row[1].padEnd(targetWidth)}  ${row[2].padEnd(originWidth)}`;
    return `  ${mark}  ${columns}  ${row[3]}`;
  });
}

function reasonOf({ route, outcome }: Candidate, winner: Route | undefined): string {
  switch (outcome) {
    case "won":
      return wonBy(route);
    case "other-port":
      return `only for ${formatPorts(route)}`;
    case "outranked":
      return `${winner === undefined ? "another" : JSON.stringify(winner.text)} is more specific`;
    default:
      return outcome satisfies never;
  }
}

function wonBy({ match, ports }: Route): string {
  const port = ports === undefined ? "" : `, ${formatPorts({ ports })}`;
  switch (match.type) {
    case "name":
      return `exact name${port}`;
    case "wildcard":
      return `one label before .${match.suffix}${port}`;
    case "cidr":
      return `the longest prefix, /${match.prefix}${port}`;
    case "any":
      return `no other route holds it${port}`;
    default:
      return match satisfies never;
  }
}

function formatPorts({ ports }: Pick<Route, "ports">): string {
  if (ports === undefined) return "every port";
  return ports.from === ports.to ? `port ${ports.from}` : `ports ${ports.from}-${ports.to}`;
}

function describeRefusal(
  refusal: Refusal,
  lookups: readonly ExplainedLookup[],
  paint: Terminal["paint"],
): ExplainedRow[] {
  const { code, reason, hint, rule } = refusal;
  const by = rule === undefined ? "" : ` (${rule.kind} ${JSON.stringify(rule.text)}, ${rule.origin})`;
  const meant = rule === undefined ? likelyName(lookups) : undefined;
  return [
    ["refused", paint("red", proxyErrorMessage(code)), `${reason}${by}`],
    ["to do", hint, ...(meant === undefined ? [] : [`Or did you mean ${JSON.stringify(meant)}?`])],
  ];
}

/** A name that has a route, if the name asked for is probably a typo of it. */
function likelyName(lookups: readonly ExplainedLookup[]): string | undefined {
  const [lookup] = lookups;
  if (lookup?.network === undefined || lookup.host.type !== "name") return undefined;
  const names = lookup.network.routes.flatMap(({ match }) => (match.type === "name" ? [match.name] : []));
  const meant = didYouMean(lookup.host.text, names);
  return meant === lookup.host.text ? undefined : meant;
}

function describePassage({ way, hostHeader, tls }: Passage, asked: Asked): ExplainedRow[] {
  const isFetch = asked.op === "fetch";
  const first =
    way === "direct" && tls !== undefined ? ["once the egress proxy has verified the target's certificate"] : [];
  return [
    ["transport", WAYS[way](isFetch), ...first],
    ...(hostHeader === undefined ? [] : [["Host", hostHeader] satisfies ExplainedRow]),
    ...(isFetch && (way === "direct" || way === "egress") ? [describeTls(tls)] : []),
  ];
}

const WAYS: Record<Passage["way"], (isFetch: boolean) => string> = {
  direct: () =>
    "direct: workerd's own HTTP client, with reused connections; POST requests and uploads use the egress proxy",
  sockets: () => "direct: cloudflare:sockets, from workerd",
  egress: () => "egress proxy, in the Node process",
  worker: (isFetch) => `the Worker's ${isFetch ? "fetch" : "connect"} handler`,
  function: (isFetch) => `the ${isFetch ? "fetch" : "connect"} function of the vpc config, in the Node process`,
  "stand-in": () => "a stand-in, in the Node process",
  recorded: () => "egress proxy, in the Node process, which records the answers",
};

function describeTls(tls: Passage["tls"]): ExplainedRow {
  if (tls === undefined) return ["TLS", "none: plain HTTP"];
  const { serverName, verify, client, missing = [] } = tls;
  return [
    "TLS",
    serverName === undefined ? "no SNI: an IP address is not a server name" : `SNI ${serverName}`,
    `${verify}: ${CHECKS[verify](tls.hostName)}`,
    ...describeTrust(tls),
    ...(client === undefined ? [] : [`presents ${client.cert} if the target asks for a client certificate`]),
    ...missing.map(({ field }) => `"${field}" is missing in "certificates": ${WITHOUT_CERTIFICATE[field]}`),
  ];
}

const CHECKS = {
  verify_full: (hostName: string) => `checks the chain, and that the certificate is for ${hostName}`,
  verify_ca: () => "checks the chain, but not the host name",
  disabled: () => "checks nothing",
};
