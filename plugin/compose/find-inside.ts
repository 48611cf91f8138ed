/** Decides which services of a compose project this process reaches from inside of their network, by their names. */

import type { NetworkModel } from "../model.ts";
import type { Whereabouts } from "../system/whereabouts.ts";
import type { ComposeService } from "./parse-compose-service.ts";
import { dialledName } from "./to-network-routes.ts";
import { type Routing, hasOwn, isActive } from "./to-routes.ts";

interface Deciding extends Omit<Routing, "inside"> {
  from: NetworkModel["composeFrom"];
  whereabouts: Whereabouts;
}

/** `auto`: in a container, those whose names resolve. Reports one that doesn't beside others that do: it may only be stopped. */
export async function findInside(
  services: readonly ComposeService[],
  { from, whereabouts, profiles, own, report }: Deciding,
): Promise<ReadonlySet<ComposeService>> {
  if (from === "network") return new Set(services);
  if (from === "host" || !whereabouts.isContainer()) return new Set();
  const active = services.filter((service) => isActive(service, profiles));
  const named = active.flatMap((service) => {
    const name = service.network === "own" ? dialledName(service) : undefined;
    return name === undefined ? [] : [{ service, name }];
  });
  const resolving = await whereabouts.resolving(named.map(({ name }) => name));
  const inside = named.filter(({ name }) => resolving.has(name)).map(({ service }) => service);
  if (inside.length === 0) return new Set();
  for (const { service, name } of named) {
    if (resolving.has(name) || hasOwn(service, { own })) continue;
    report({
      severity: "warning",
      code: "compose-unresolved",
      text: `the name ${JSON.stringify(name)} does not resolve in this container, so its service is looked for at the ports that it publishes`,
      at: service.at,
      notes: ['Start the service and then this session, or write "compose": { "files": …, "from": "network" }.'],
    });
  }
  // One with the network of the host is a neighbour of the others, too, but has no name there.
  return new Set([...inside, ...active.filter(({ network }) => network === "host")]);
}
