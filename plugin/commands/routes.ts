/**
 * `miniflare-vpc routes`: the table as it stands, in the order in which it is read, each line with where it
 * comes from.
 */

import { indexTable, listRoutes } from "../../service-worker/route-index.ts";
import { type Network, type Route, type Service, bindingKey } from "../../service-worker/table.ts";
import { escapeControls } from "../diagnostics.ts";
import { type Command, FINE, PROBLEMS, defineCommand } from "./command.ts";
import { CONFIG_FLAG, ENV_FLAG, JSON_FLAG, WORKER_FLAG } from "./config-flags.ts";
import { formatOrigin } from "./format-origin.ts";
import { formatTableTarget } from "./format-target.ts";
import { type OpenSession, type SessionBinding, bindingsOf, findBinding, openSession } from "./open-session.ts";
import { printProblems } from "./print-problems.ts";

export const routes: Command = defineCommand({
  name: "routes",
  summary: "the whole table of services and routes, sorted by precedence",
  description: `Prints every service and every network that a binding leads to, and each network's routes in the order in which
they are read: the first line that matches a destination decides. Behind each stands where it comes from.`,
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
    2: "the command line can't be understood, or there is no wrangler config",
  },
  async run({ flags, positionals: { binding: bindingName } }, terminal) {
    const session = await openSession(flags, terminal);
    if (Array.isArray(session)) {
      printProblems(session, flags, terminal);
      return PROBLEMS;
    }
    const shown =
      bindingName === undefined
        ? bindingsOf(session, flags.worker)
        : [findBinding(session, { bindingName, workerName: flags.worker })];
    const table = arrange(session, shown);
    terminal.print(flags.json ? JSON.stringify(toJson(table), undefined, 2) : escapeControls(format(table)));
    return FINE;
  },
});

/** What some bindings lead to; each service and network once, however many bindings share it. */
interface Arranged {
  services: { service: Service; network: Network | undefined; bindings: SessionBinding[] }[];
  networks: { network: Network; routes: Route[]; bindings: SessionBinding[] }[];
  unlinked: SessionBinding[];
  remote: SessionBinding[];
}

function arrange({ table, remoteBindings }: OpenSession, shown: readonly SessionBinding[]): Arranged {
  const index = indexTable(table);
  const services = new Map<string, Arranged["services"][number]>();
  const networks = new Map<number, Arranged["networks"][number]>();
  const arranged: Arranged = { services: [], networks: [], unlinked: [], remote: [] };
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
    if (binding === undefined || binding.kind === "unlinked") {
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
      services.set(service.origin, { service, network, bindings: [shownBinding] });
    }
  }
  return { ...arranged, services: [...services.values()], networks: [...networks.values()] };
}

function format({ services, networks, unlinked, remote }: Arranged): string {
  const blocks = [
    ...(services.length === 0
      ? []
      : [
          `services\n${formatColumns(
            services.map(({ service, network, bindings }) => [
              service.label,
              `→ ${service.target === undefined ? viaNetwork(service, network) : formatTableTarget(service.target)}`,
              service.origin,
              namesOf(bindings),
            ]),
          )}`,
        ]),
    ...networks.map(({ network, routes: all, bindings }) => {
      const place = network.origin === "" ? "the routes of all networks" : network.origin;
      const names = bindings.length === 0 ? "" : `  ${namesOf(bindings)}`;
      const lines = all.map((route) => [route.text, `→ ${formatTableTarget(route.target)}`, formatOrigin(route)]);
      return `network ${network.networkId}  ${place}${names}\n${lines.length === 0 ? "    no routes: everything is refused" : formatColumns(lines)}`;
    }),
    ...formatOthers("no entry: everything is refused", unlinked),
    ...formatOthers('"remote": left to wrangler\'s remote bindings', remote),
  ];
  return blocks.length === 0 ? "There are no VPC bindings." : blocks.join("\n\n");
}

/** Where a service without a target is looked up. */
function viaNetwork({ hosts, networkId = "" }: Service, network: Network | undefined): string {
  const host = hosts.join(", then ");
  return network === undefined ? `network ${networkId}, which has no entry` : `network ${network.networkId} as ${host}`;
}

function namesOf(bindings: readonly SessionBinding[]): string {
  return bindings.map(({ workerName, bindingName }) => `${bindingName} of ${workerName}`).join(", ");
}

function formatOthers(title: string, bindings: readonly SessionBinding[]): string[] {
  if (bindings.length === 0) return [];
  return [`${title}\n${formatColumns(bindings.map((binding) => [namesOf([binding]), binding.id]))}`];
}

/** Rows of equally many cells. */
function formatColumns(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  );
  return rows
    .map((row) => `    ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}

function namesOnly(bindings: readonly SessionBinding[]): object[] {
  return bindings.map(({ workerName, bindingName, id }) => ({ worker: workerName, name: bindingName, id }));
}

function toJson({ services, networks, unlinked, remote }: Arranged): object {
  return {
    services: services.map(({ service: { label, origin, hosts, target }, network, bindings }) => ({
      label,
      origin,
      hosts,
      target: target && formatTableTarget(target),
      network: network?.networkId,
      bindings: namesOnly(bindings),
    })),
    networks: networks.map(({ network: { networkId, origin }, routes: all, bindings }) => ({
      id: networkId,
      origin,
      bindings: namesOnly(bindings),
      routes: all.map(({ text, target, origin: routeOrigin, composeService }) => ({
        route: text,
        target: formatTableTarget(target),
        origin: routeOrigin,
        composeService,
      })),
    })),
    unlinked: namesOnly(unlinked),
    remote: namesOnly(remote),
  };
}
