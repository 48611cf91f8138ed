/**
 * `miniflare-vpc routes`: prints the table in order of precedence, and where each line comes from.
 */

import type { Fault } from "../../service-worker/routing/fault.ts";
import { indexTable, listRoutes } from "../../service-worker/routing/route-index.ts";
import {
  type Network,
  type Route,
  type Service,
  type TlsPolicy,
  bindingKey,
} from "../../service-worker/routing/table.ts";
import { escapeControls } from "../diagnostics.ts";
import { type Command, FINE, PROBLEMS } from "./command.ts";
import { defineCommand } from "./define-command.ts";
import { CONFIG_FLAG, ENV_FLAG, JSON_FLAG, WORKER_FLAG } from "./config-flags.ts";
import { formatOrigin } from "./format-origin.ts";
import { formatFault } from "./fault-words.ts";
import { describeTrust, formatRoute, formatTableTarget } from "./format-target.ts";
import {
  type ChosenEnvironment,
  type EnvironmentBinding,
  bindingsOf,
  findBinding,
  loadChosenEnvironment,
} from "./chosen-environment.ts";
import { printProblems } from "./print-problems.ts";

export const routes: Command = defineCommand({
  name: "routes",
  summary: "print all services and routes, in order of precedence",
  description: `Prints every service and network that a binding leads to, and the routes of each network in order of precedence:
the first line that matches a destination wins. Each line ends with its file, line and column.`,
  positionals: [
    { name: "binding", summary: "only what this binding leads to", isOptional: true, completes: "binding" },
  ],
  flags: { config: CONFIG_FLAG, env: ENV_FLAG, worker: WORKER_FLAG, json: JSON_FLAG },
  examples: [
    { args: "", summary: "everything" },
    { args: "PRIVATE --env staging", summary: "one binding, in an environment" },
  ],
  exitCodes: {
    0: "the table is printed",
    1: "a config has errors",
    2: "the command line is invalid, or there is no wrangler config",
  },
  async run({ flags, positionals: { binding: bindingName } }, terminal) {
    const environment = await loadChosenEnvironment(flags, terminal);
    if (Array.isArray(environment)) {
      printProblems(environment, flags, terminal);
      return PROBLEMS;
    }
    const shown =
      bindingName === undefined
        ? bindingsOf(environment, flags.worker)
        : [findBinding(environment, { bindingName, workerName: flags.worker })];
    const table = arrange(environment, shown);
    terminal.print(flags.json ? JSON.stringify(toJson(table), undefined, 2) : escapeControls(format(table)));
    return FINE;
  },
});

/** What some bindings lead to. Each service and network is listed once, even if several bindings share it. */
interface Arranged {
  services: {
    service: Service;
    tls: TlsPolicy;
    faults: readonly Fault[];
    network: Network | undefined;
    bindings: EnvironmentBinding[];
  }[];
  networks: { network: Network; routes: Route[]; bindings: EnvironmentBinding[] }[];
  unlinked: EnvironmentBinding[];
  remote: EnvironmentBinding[];
  /** Of the vpc configs: only the roots of production count. */
  isStrict: boolean;
  /** Hyperdrive bindings with a connection string of their own. */
  own: EnvironmentBinding[];
}

function arrange({ table, remoteBindings }: ChosenEnvironment, shown: readonly EnvironmentBinding[]): Arranged {
  const index = indexTable(table);
  const services = new Map<string, Arranged["services"][number]>();
  const networks = new Map<number, Arranged["networks"][number]>();
  const isStrict = Object.values(table.bindings).some(({ tls }) => tls.trust === "production");
  const arranged: Arranged = { services: [], networks: [], unlinked: [], remote: [], own: [], isStrict };
  const addNetwork = (position: number): Arranged["networks"][number] | undefined => {
    const known = networks.get(position);
    const indexed = index.networks[position];
    if (known !== undefined || indexed === undefined) return known;
    const added = { network: indexed.network, routes: listRoutes(indexed), bindings: [] };
    networks.set(position, added);
    return added;
  };
  for (const shownBinding of shown) {
    const binding = table.bindings[bindingKey(shownBinding.workerName, shownBinding.bindingName)];
    if (shownBinding.ownString !== undefined) arranged.own.push(shownBinding);
    else if (binding === undefined || binding.kind === "unlinked") {
      (remoteBindings.has(shownBinding.key) ? arranged.remote : arranged.unlinked).push(shownBinding);
    } else if (binding.kind === "network") {
      addNetwork(binding.network)?.bindings.push(shownBinding);
    } else {
      const { service } = binding;
      const known = services.get(service.origin);
      if (known !== undefined) {
        known.bindings.push(shownBinding);
        continue;
      }
      const network = service.network === undefined ? undefined : addNetwork(service.network)?.network;
      const { tls, faults = [] } = binding;
      services.set(service.origin, { service, tls, faults, network, bindings: [shownBinding] });
    }
  }
  return { ...arranged, services: [...services.values()], networks: [...networks.values()] };
}

function format({ services, networks, unlinked, remote, own, isStrict }: Arranged): string {
  const blocks = [
    ...(services.length === 0
      ? []
      : [
          `services\n${formatColumns(
            services.map(({ service, tls, faults, network, bindings }) => [
              service.label,
              [
                `→ ${service.target === undefined ? viaNetwork(service, network) : formatTableTarget(service.target)}`,
                ...describeCertificates(tls),
                ...faults.map(formatFault),
              ].join(", "),
              service.origin,
              namesOf(bindings),
            ]),
          )}`,
        ]),
    ...networks.map(({ network, routes: all, bindings }) => {
      const place = network.origin === "" ? "the routes of all networks" : network.origin;
      const names = bindings.length === 0 ? "" : `  ${namesOf(bindings)}`;
      const lines = all.map((route) => [route.text, `→ ${formatRoute(route)}`, formatOrigin(route)]);
      return `network ${network.networkId}  ${place}${names}\n${lines.length === 0 ? "    no routes: every call is refused" : formatColumns(lines)}`;
    }),
    ...formatOthers("no entry: every call is refused", unlinked),
    ...formatOthers("a connection string of its own, which wins over the vpc config", own),
    ...formatOthers('"remote": left to wrangler\'s remote bindings', remote),
    ...(isStrict ? [STRICT] : []),
  ];
  return blocks.length === 0 ? "There are no VPC bindings." : blocks.join("\n\n");
}

const STRICT =
  '"trust": "production": only public CAs, the Cloudflare Origin CA and authorities of records are trusted';

/** The certificates that the record names by their ids, and the files of "ca". */
function describeCertificates({ ca, authority, client }: TlsPolicy): string[] {
  return [
    ...describeTrust({ ca, ...(authority !== undefined && { authority }) }),
    ...(client === undefined ? [] : [`presents ${client.cert}`]),
  ];
}

/** Describes where a service without a target is looked up. */
function viaNetwork({ hosts, networkId = "" }: Service, network: Network | undefined): string {
  const host = hosts.join(", then ");
  return network === undefined ? `network ${networkId}, which has no entry` : `network ${network.networkId} as ${host}`;
}

function namesOf(bindings: readonly EnvironmentBinding[]): string {
  return bindings.map(({ workerName, bindingName }) => `${bindingName} of ${workerName}`).join(", ");
}

function formatOthers(title: string, bindings: readonly EnvironmentBinding[]): string[] {
  if (bindings.length === 0) return [];
  return [`${title}\n${formatColumns(bindings.map((binding) => [namesOf([binding]), binding.id]))}`];
}

/** @param rows rows with the same number of cells */
function formatColumns(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return rows
    .map((row) => `    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}

function namesOnly(bindings: readonly EnvironmentBinding[]): object[] {
  return bindings.map(({ workerName, bindingName, id }) => ({ worker: workerName, name: bindingName, id }));
}

function toJson({ services, networks, unlinked, remote, own, isStrict }: Arranged): object {
  return {
    trust: isStrict ? "production" : undefined,
    services: services.map(({ service: { label, origin, hosts, target }, tls, faults, network, bindings }) => ({
      label,
      origin,
      hosts,
      target: target && formatTableTarget(target),
      ca: tls.ca.length > 0 ? tls.ca : undefined,
      authority: tls.authority,
      clientCertificate: tls.client?.cert,
      faults: faults.length > 0 ? faults : undefined,
      network: network?.networkId,
      bindings: namesOnly(bindings),
    })),
    networks: networks.map(({ network: { networkId, origin }, routes: all, bindings }) => ({
      id: networkId,
      origin,
      bindings: namesOnly(bindings),
      routes: all.map(({ text, target, settings, origin: routeOrigin, composeService }) => ({
        route: text,
        target: formatTableTarget(target),
        settings,
        origin: routeOrigin,
        composeService,
      })),
    })),
    unlinked: namesOnly(unlinked),
    remote: namesOnly(remote),
    ownConnectionString: namesOnly(own),
  };
}
