/** The targets that workerd's own client gets a pooled `external` service for. Pure. */

import { formatEndpoint, isLiteralHost } from "../../service-worker/routing/address.ts";
import { type TargetKey, targetKey } from "../../service-worker/routing/forward-target.ts";
import type { RoutingTable, Target } from "../../service-worker/routing/table.ts";

/** Each lengthens every start and takes memory of workerd, whether it is used or not (docs/performance.md). */
export const MAX_KNOWN = 256;

/**
 * The addresses of targets that are known before a request comes, by the names of their bindings: those of services, then
 * those of routes in their order, up to `MAX_KNOWN`. The egress proxy handles the others, and names other than localhost,
 * because workerd prints a native stack for a name that doesn't resolve.
 */
export function knownTargets(table: RoutingTable): Map<TargetKey, string> {
  const known = new Map<TargetKey, string>();
  for (const { target, keptPort } of targetsOf(table)) {
    if (known.size === MAX_KNOWN) break;
    const port = target.port ?? keptPort;
    if (port === undefined || target.scheme === "https" || !isLiteralHost(target.host)) continue;
    const to = { type: "address", host: target.host, port } as const;
    known.set(targetKey(to), formatEndpoint(to.host, to.port));
  }
  return known;
}

/** `keptPort`: the destination's port, if there is only one. */
function* targetsOf(table: RoutingTable): Generator<{ target: AddressTarget; keptPort: number | undefined }> {
  for (const binding of Object.values(table.bindings)) {
    if (binding.kind !== "service" || binding.service.type === "tcp") continue;
    const { target, httpPort } = binding.service;
    if (target?.type === "address") yield { target, keptPort: httpPort };
  }
  for (const network of table.networks) {
    for (const { target, ports } of network.routes) {
      if (target.type !== "address") continue;
      yield { target, keptPort: ports !== undefined && ports.from === ports.to ? ports.from : undefined };
    }
  }
}

type AddressTarget = Target & { type: "address" };
