/** Finds routes for `*` that change nothing: they deny what is refused anyway, or no call comes to them. */

import { isProblem, parseHost } from "../../service-worker/routing/address.ts";
import { findRoute, indexNetwork } from "../../service-worker/routing/route-index.ts";
import { MESH_ID, type Route, portOf } from "../../service-worker/routing/table.ts";
import { type NetworkModel, type RouteModel, type VpcBinding, type VpcModel, entryKey } from "../model.ts";
import { type Finding, quote } from "../read/document.ts";

/** @param bindings the bindings of every Worker next to the config, in every environment */
export function findIdleRest(model: VpcModel, bindings: readonly VpcBinding[]): Finding[] {
  const networks = [...model.networks].flatMap(([key, entry]) => (entry.kind === "entry" ? [{ key, ...entry }] : []));
  const all = networks.flatMap(({ routes }) => routes.filter(isForRest));
  const needless = all.filter((route) => all.length === 1 && deniesWhatIsRefused(route));
  const unreached = networks.flatMap(({ key, routes }) => {
    const rest = routes.filter((route) => isForRest(route) && !needless.includes(route));
    const reached = rest.length === 0 ? undefined : reachedByServices(key, routes, { model, bindings });
    return reached === undefined ? [] : rest.filter((route) => !reached.has(route));
  });
  return [...needless.map(describeNeedless), ...unreached.map(describeUnreached)];
}

function isForRest({ match }: RouteModel): boolean {
  return match.type === "any";
}

/** What no route holds gets one of these codes: the first for a name, the second for an address. */
const REFUSED = new Set(["destination_not_found", "destination_ip_unroutable"]);

/** Another route for `*`, also that of another network in `cf1:network`, would be what it takes calls from. */
function deniesWhatIsRefused({ target, settings }: RouteModel): boolean {
  return target.type === "deny" && REFUSED.has(target.code) && settings === undefined;
}

/**
 * @param key of the network
 * @returns the routes that the hosts of VPC Services take; undefined if a Worker may ask the network for anything, or if
 * nothing uses it, which is another problem
 */
function reachedByServices(
  key: string,
  routes: NetworkModel["routes"],
  { model, bindings }: { model: VpcModel; bindings: readonly VpcBinding[] },
): Set<RouteModel> | undefined {
  const isBound = bindings.some(
    ({ bindingType, bindingName, id }) =>
      bindingType === "vpc-network" && (id === MESH_ID || entryKey(id) === key || bindingName === key),
  );
  const services = [...model.services.values()].flatMap((entry) =>
    entry.kind === "entry" && entry.target === undefined && entry.service.networkId === key ? [entry.service] : [],
  );
  if (isBound || services.length === 0) return undefined;
  const modelOf = new Map(routes.map((route): [Route, RouteModel] => [toRoute(route), route]));
  const index = indexNetwork({ networkId: key, origin: "", routes: [...modelOf.keys()] });
  const reached = new Set<RouteModel>();
  for (const service of services) {
    for (const host of service.hosts.map(parseHost)) {
      for (const scheme of ["http", "https", "tcp"] as const) {
        const port = portOf(service, scheme);
        const route = port === undefined || isProblem(host) ? undefined : findRoute(index, host, port);
        const found = route && modelOf.get(route);
        if (found !== undefined) reached.add(found);
      }
    }
  }
  return reached;
}

/** Where a route leads doesn't matter here. */
export function toRoute({ text, match, ports }: RouteModel): Route {
  return { text, match, ...(ports && { ports }), target: { type: "passthrough" }, origin: "" };
}

function describeNeedless({ text, at }: RouteModel): Finding {
  return {
    severity: "warning",
    code: "needless-route",
    text: `the route ${quote(text)} denies what is refused without it`,
    at,
    part: "key",
    notes: [
      "A name that no route holds is destination_not_found, and an address destination_ip_unroutable. Remove this route, or deny with another code.",
    ],
  };
}

function describeUnreached({ text, at }: RouteModel): Finding {
  return {
    severity: "warning",
    code: "unreachable-route",
    text: `the route ${quote(text)} is never reached: only VPC Services use this network, and other routes hold their hosts`,
    at,
    part: "key",
    notes: ["Remove it, or bind the network."],
  };
}
