/** Where a Hyperdrive binding leads, for `decide` and for people. Pure. */

import { formatEndpoint, isProblem, parseHost } from "../../service-worker/routing/address.ts";
import type { Decision, Destination } from "../../service-worker/routing/decide.ts";
import type { Asked } from "../../service-worker/routing/explain.ts";
import type { Binding } from "../../service-worker/routing/table.ts";
import type { DatabaseLogin } from "../model.ts";

/** What workerd makes the host of each connection string end with. */
const HOST = "hyperdrive.local";
const PORTS = { postgresql: 5432, mysql: 3306 } as const;

/** The host and the port of the service's record. A short form has no host, so it gets workerd's. */
export function destinationOfDatabase(
  binding: Binding | undefined,
  scheme: DatabaseLogin["scheme"],
): Destination & { scheme: "tcp" } {
  const service = binding?.kind === "service" ? binding.service : undefined;
  return { scheme: "tcp", host: service?.hosts[0] ?? HOST, port: service?.tcpPort ?? PORTS[scheme] };
}

/** For the terminal: `hyperdrive db.internal:5432`. */
export function nameDatabase({ binding }: Pick<Decision, "binding">): string {
  const [host] = binding.kind === "service" ? binding.service.hosts : [];
  if (host === undefined) return "hyperdrive";
  return `hyperdrive ${formatEndpoint(host, destinationOfDatabase(binding, "postgresql").port)}`;
}

/** What a connection of the binding asks for, for `explain`. */
export function askForDatabase(binding: Binding | undefined): Asked & { op: "hyperdrive" } {
  const { host: written, port } = destinationOfDatabase(binding, "postgresql");
  const host = parseHost(written);
  if (isProblem(host)) throw new Error(`miniflare-vpc: bad host ${written} of a service`);
  return { op: "hyperdrive", host, port };
}
