/** An explanation as lines for a person and as JSON for a program. */

import { formatEndpoint } from "../../service-worker/address.ts";
import type { Refusal } from "../../service-worker/decide.ts";
import type { Asked, ExplainedLookup, Explanation, Passage } from "../../service-worker/explain.ts";
import { formatTarget } from "../../service-worker/forward-target.ts";
import { proxyErrorMessage } from "../../service-worker/proxy-error.ts";
import type { Candidate } from "../../service-worker/route-index.ts";
import type { Binding, Route, Service } from "../../service-worker/table.ts";
import { didYouMean, escapeControls } from "../diagnostics.ts";
import { formatOrigin } from "./format-origin.ts";
import { formatTableTarget } from "./format-target.ts";
import type { SessionBinding } from "./open-session.ts";
import type { Terminal } from "./terminal.ts";

export interface Subject {
  binding: SessionBinding;
  asked: Asked;
  /** Undefined: the binding is left to wrangler's remote bindings. */
  explanation: Explanation | undefined;
}

/** A label, and the lines beside it. */
type Row = [label: string, ...lines: string[]];

const LABEL_WIDTH = 11;

export function describeExplanation(subject: Subject, { paint }: Pick<Terminal, "paint">): string {
  const { binding, asked, explanation } = subject;
  const kind = binding.bindingType === "vpc-service" ? "VPC Service" : "VPC Network";
  const head = `env.${binding.bindingName}.${asked.op}(${JSON.stringify(formatAsked(asked))})`;
  const rows: Row[] = [
    ["binding", `${binding.bindingName} of Worker ${JSON.stringify(binding.workerName)}, ${kind} ${binding.id}`],
    ...(explanation === undefined ? [REMOTE] : describeSteps(explanation, asked, paint)),
  ];
  const blocks = rows.map(([label, ...lines]) =>
    lines.map((line, index) => `${paint("dim", (index === 0 ? label : "").padEnd(LABEL_WIDTH))}${line}`).join("\n"),
  );
  return escapeAround(`${paint("bold", head)}\n\n${blocks.join("\n")}`);
}

const REMOTE: Row = [
  "remote",
  'The vpc config says "remote": wrangler\'s remote bindings serve it, and Cloudflare decides.',
];

// oxlint-disable-next-line no-control-regex
const COLOUR = /(\u001b\[\d+m)/;

/** Our own colours are kept, what came from a config is not trusted. */
function escapeAround(text: string): string {
  const parts = text.split(COLOUR);
  return parts.map((part, index) => (index % 2 === 1 ? part : escapeControls(part))).join("");
}

function formatAsked(asked: Asked): string {
  return asked.op === "fetch" ? asked.url.href : formatEndpoint(asked.host.text, asked.port);
}

function describeSteps({ decision, lookups, passage }: Explanation, asked: Asked, paint: Terminal["paint"]): Row[] {
  const steps: Row[] = [
    ...describeRecord(decision.binding),
    ...lookups.flatMap((lookup) => describeLookup(lookup, decision.binding, paint)),
  ];
  if (decision.type === "refuse") return [...steps, ...describeRefusal(decision, lookups, paint)];
  const target: Row = ["target", paint("green", formatTarget(decision.to))];
  return [...steps, target, ...(passage === undefined ? [] : describePassage(passage, asked))];
}

function describeRecord(binding: Binding): Row[] {
  if (binding.kind !== "service") return [];
  const { service } = binding;
  const place = `${JSON.stringify(service.label)} at ${service.origin}`;
  if (service.target === undefined) return [["record", place, `its ${formatHosts(service)} count, not the URL's`]];
  const target = `its target ${formatTableTarget(service.target)} counts, no route does`;
  return [["record", place, target]];
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
): Row[] {
  const destination = formatEndpoint(host.text, port);
  if (network === undefined)
    return [
      ["network", `has no entry in ${configFile}`],
      ["routes", `none hold ${destination}`],
    ];
  const place = network.origin === "" ? `the routes of all networks in ${configFile}` : network.origin;
  return [
    ["network", `${network.networkId}, ${place}`],
    [
      "routes",
      `${candidates.length} of ${network.routes.length} hold ${destination}`,
      ...describeCandidates(candidates, paint),
    ],
  ];
}

function describeCandidates(candidates: readonly Candidate[], paint: Terminal["paint"]): string[] {
  const winner = candidates.find(({ outcome }) => outcome === "won")?.route;
  const cells = candidates.map((candidate) => {
    const { route } = candidate;
    return [
      route.text,
      `→ ${formatTableTarget(route.target)}`,
      formatOrigin(route),
      reasonOf(candidate, winner),
    ] as const;
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
      return `${winner === undefined ? "another" : JSON.stringify(winner.text)} is more precise`;
    default:
      return outcome satisfies never;
  }
}

function wonBy({ match, ports }: Route): string {
  const port = ports === undefined ? "" : `, ${formatPorts({ ports })}`;
  switch (match.type) {
    case "name":
      return `this very name${port}`;
    case "wildcard":
      return `one label before .${match.suffix}${port}`;
    case "cidr":
      return `the longest prefix, /${match.prefix}${port}`;
    default:
      return match satisfies never;
  }
}

function formatPorts({ ports }: Pick<Route, "ports">): string {
  if (ports === undefined) return "every port";
  return ports.from === ports.to ? `port ${ports.from}` : `ports ${ports.from}-${ports.to}`;
}

function describeRefusal(refusal: Refusal, lookups: readonly ExplainedLookup[], paint: Terminal["paint"]): Row[] {
  const { code, reason, hint, rule } = refusal;
  const by = rule === undefined ? "" : ` (${rule.kind} ${JSON.stringify(rule.text)}, ${rule.origin})`;
  const meant = rule === undefined ? likelyName(lookups) : undefined;
  return [
    ["refused", paint("red", proxyErrorMessage(code)), `${reason}${by}`],
    ["to do", hint, ...(meant === undefined ? [] : [`Or did you mean ${JSON.stringify(meant)}?`])],
  ];
}

/** A name that has a route and is but a slip away. */
function likelyName(lookups: readonly ExplainedLookup[]): string | undefined {
  const [lookup] = lookups;
  if (lookup?.network === undefined || lookup.host.type !== "name") return undefined;
  const names = lookup.network.routes.flatMap(({ match }) => (match.type === "name" ? [match.name] : []));
  const meant = didYouMean(lookup.host.text, names);
  return meant === lookup.host.text ? undefined : meant;
}

function describePassage({ way, hostHeader, tls }: Passage, asked: Asked): Row[] {
  const isFetch = asked.op === "fetch";
  return [
    ["transport", WAYS[way](isFetch)],
    ...(hostHeader === undefined ? [] : [["Host", hostHeader] satisfies Row]),
    ...(isFetch && (way === "direct" || way === "egress") ? [describeTls(tls)] : []),
  ];
}

const WAYS: Record<Passage["way"], (isFetch: boolean) => string> = {
  direct: () => "direct: workerd's own HTTP client, over kept connections",
  sockets: () => "direct: cloudflare:sockets, from workerd",
  egress: () => "egress proxy, in the Node process",
  worker: (isFetch) => `the Worker's ${isFetch ? "fetch" : "connect"} handler`,
  function: (isFetch) => `a function of the vpc config, in the Node process: its ${isFetch ? "fetch" : "connect"}`,
};

function describeTls(tls: Passage["tls"]): Row {
  if (tls === undefined) return ["TLS", "none: plain HTTP"];
  const { serverName, verify, ca } = tls;
  return [
    "TLS",
    serverName === undefined ? "no SNI: an address is no server name" : `SNI ${serverName}`,
    `${verify}: ${CHECKS[verify](tls.hostName)}`,
    ...ca.map((file) => `trusts ${file}, too`),
  ];
}

const CHECKS = {
  verify_full: (hostName: string) => `the chain is checked, and that the certificate is for ${hostName}`,
  verify_ca: () => "the chain is checked, not the host name",
  disabled: () => "nothing is checked",
};

export function explanationToJson({ binding, asked, explanation }: Subject): object {
  const { bindingName, bindingType, id, workerName } = binding;
  const subject = {
    binding: { name: bindingName, type: bindingType, id, worker: workerName },
    asked: { op: asked.op, [asked.op === "fetch" ? "url" : "address"]: formatAsked(asked) },
  };
  if (explanation === undefined) return { ...subject, outcome: "remote" };
  const { decision, lookups, passage } = explanation;
  const steps = {
    ...(decision.binding.kind === "service" && { record: recordToJson(decision.binding.service) }),
    lookups: lookups.map(lookupToJson),
    rule: decision.rule,
  };
  if (decision.type === "refuse") {
    const { code, reason, hint } = decision;
    return { ...subject, outcome: "refused", ...steps, error: { code, reason, hint } };
  }
  const { way: transport, ...rest } = passage ?? {};
  return { ...subject, outcome: "forwarded", ...steps, target: formatTarget(decision.to), transport, ...rest };
}

function recordToJson({ label, origin, type, hosts, httpPort, httpsPort, tcpPort, target }: Service): object {
  return { label, origin, type, hosts, httpPort, httpsPort, tcpPort, target: target && formatTableTarget(target) };
}

function lookupToJson({ network, host, port, candidates }: ExplainedLookup): object {
  return {
    host: host.text,
    port,
    network: network && { id: network.networkId, origin: network.origin },
    candidates: candidates.map(({ route, outcome }) => ({
      route: route.text,
      target: formatTableTarget(route.target),
      origin: route.origin,
      composeService: route.composeService,
      outcome,
    })),
  };
}
