/** Decides which services of a compose project this process reaches from inside of their network, by their names. */

import type { NetworkModel } from "../model.ts";
import type { Whereabouts } from "../system/whereabouts.ts";
import type { Place } from "./compose-node.ts";
import type { ComposeService } from "./parse-compose-service.ts";
import { dialledName } from "./to-network-routes.ts";
import { type Routing, hasOwn, isActive } from "./to-routes.ts";

interface Deciding extends Omit<Routing, "inside" | "unresolved"> {
  from: NetworkModel["composeFrom"];
  whereabouts: Whereabouts;
  /** Where the vpc config names the compose files. */
  at: Place;
}

/**
 * `auto`: in a container, those whose names resolve. Reports one that doesn't beside others that do: it may only be stopped.
 * If none does, says so once: the session may have started before them, or the container has a Docker of its own.
 */
export async function findInside(
  services: readonly ComposeService[],
  { from, whereabouts, profiles, own, report, at }: Deciding,
): Promise<Pick<Routing, "inside" | "unresolved">> {
  const nothing: ReadonlySet<ComposeService> = new Set();
  if (from === "network") return { inside: new Set(services), unresolved: nothing };
  if (from === "host" || !whereabouts.isContainer()) return { inside: nothing, unresolved: nothing };
  const active = services.filter((service) => isActive(service, profiles));
  const named = active.flatMap((service) => {
    const name = service.network === "own" ? dialledName(service) : undefined;
    return name === undefined ? [] : [{ service, name }];
  });
  const resolving = await whereabouts.resolving(named.map(({ name }) => name));
  const inside = named.filter(({ name }) => resolving.has(name)).map(({ service }) => service);
  const missed = named.filter(({ service, name }) => !resolving.has(name) && !hasOwn(service, { own }));
  const unresolved = new Set(missed.map(({ service }) => service));
  if (inside.length === 0) {
    if (missed.length > 0) reportNoName({ at, report });
    return { inside: nothing, unresolved };
  }
  for (const { service, name } of missed) {
    report({
      severity: "warning",
      code: "compose-unresolved",
      text: `the name ${JSON.stringify(name)} does not resolve in this container, so its service is looked for at the ports that it publishes`,
      at: service.at,
      notes: ['Start the service and then this session, or write "compose": { "files": …, "from": "network" }.'],
    });
  }
  // One with the network of the host is a neighbour of the others, too, but has no name there.
  return { inside: new Set([...inside, ...active.filter(({ network }) => network === "host")]), unresolved };
}

function reportNoName({ at, report }: Pick<Deciding, "at" | "report">): void {
  report({
    severity: "warning",
    code: "compose-unresolved",
    text: "this is a container, and no service's name resolves in it now, so the services are looked for at the ports that they publish",
    at,
    notes: [
      'Start the services and then this session, or write "compose": { "files": …, "from": "network" }. "from": "host" says that the ports are right.',
    ],
  });
}
