/**
 * The routes to a service of a compose project as another container of its network has them: by the service's name, at the
 * ports of its container. Nothing has to be published.
 */

import { type Host, formatEndpoint } from "../../service-worker/routing/address.ts";
import type { ReportCompose } from "./compose-node.ts";
import { type ComposeRoute, matchOf } from "./compose-route.ts";
import type { ComposeService } from "./parse-compose-service.ts";
import { type PortRange, sizeOf } from "./parse-ports.ts";

export function toNetworkRoutes(service: ComposeService, report: ReportCompose): ComposeRoute[] {
  const { serviceName, hosts, at, ports, exposed, isPublishing } = service;
  const name = dialledName(service);
  if (name === undefined || service.network === "unnamed") return [];
  if (service.network === "host") {
    report({
      severity: "warning",
      code: "compose-host-network",
      text: `the service ${JSON.stringify(serviceName)} has the network of the host, where no container finds it by its name, so no route leads to it`,
      at,
      notes: [`Add ${JSON.stringify(name)}: "host.docker.internal" to "routes" of the network.`],
    });
    return [];
  }
  // A service that lists no ports is reachable at all of them.
  if (!isPublishing && exposed.length === 0) {
    return hosts.map((host) => {
      const target = { type: "address", host: name } as const;
      return { text: host.text, match: matchOf(host), at, serviceName, target };
    });
  }
  const tcp = ports
    .filter(({ protocol }) => protocol === "tcp")
    .map(({ target: { from, to }, at }) => ({ from, to, at }));
  const ranges = mergeRanges([...tcp, ...exposed.map(({ from, to }) => ({ from, to, at }))]);
  return hosts.flatMap((host) => ranges.map((range) => routeTo(host, range, { serviceName, name })));
}

/** The name of the service that containers find it by; undefined: it has none. */
export function dialledName({ hosts }: ComposeService): string | undefined {
  return (hosts.find(({ type }) => type === "name") ?? hosts[0])?.text;
}

type PlacedRange = PortRange & Pick<ComposeRoute, "at">;

function routeTo(
  host: Host,
  { from, to, at }: PlacedRange,
  { serviceName, name }: { serviceName: string; name: string },
): ComposeRoute {
  const isOne = sizeOf({ from, to }) === 1;
  return {
    text: formatEndpoint(host.text, from) + (isOne ? "" : `-${to}`),
    match: matchOf(host),
    at,
    serviceName,
    ports: { from, to },
    target: { type: "address", host: name, ...(isOne && { port: from }) },
  };
}

/** A port that is both published and exposed is there once. */
function mergeRanges(ranges: readonly PlacedRange[]): PlacedRange[] {
  const merged: PlacedRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || last.to < range.from) merged.push({ ...range });
    else last.to = Math.max(last.to, range.to);
  }
  return merged;
}
