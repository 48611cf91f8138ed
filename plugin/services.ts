/**
 * Table → workerd services: the service worker, one pooled `external` service for each target known
 * now, the network it dials through and the door to the egress proxy. Data only; starts nothing.
 */

import type { Service, ServicesExtensions, Worker_Binding as WorkerBinding } from "miniflare";
import { formatEndpoint, isLiteralHost } from "../service-worker/address.ts";
import { ORDER_HEADER, SECRET_HEADER } from "../service-worker/egress-protocol.ts";
import type { RoutingTable, Target } from "../service-worker/table.ts";
import type { EgressProxy } from "./egress/server.ts";
import type { Control } from "./push.ts";
import { type TargetKey, targetKey } from "../service-worker/forward-target.ts";

export const SERVICE_WORKER = "miniflare-vpc";
export const FACADE_MODULE = "miniflare-vpc:binding";
const NETWORK = "miniflare-vpc:network";
const EGRESS = "miniflare-vpc:egress";
const EGRESS_TCP = "miniflare-vpc:egress-tcp";

/** The oldest workerd that is supported knows this date. */
const COMPATIBILITY_DATE = "2025-11-01";

export interface WorkerTarget {
  workerName: string;
  /** A Worker with assets answers through Miniflare's router for them. */
  hasAssets: boolean;
}

export interface ServiceOptions {
  table: RoutingTable;
  /** Every Worker of the session: an edit may name any of them. */
  workers: readonly WorkerTarget[];
  egress: Pick<EgressProxy, "address" | "secret">;
  control: Pick<Control, "address" | "secret">;
  /** Source of the bundled service worker. */
  script: string;
}

export function buildServices(options: ServiceOptions): ServicesExtensions {
  const { table, workers, egress } = options;
  const targets = knownTargets(table);
  const bindings: WorkerBinding[] = [
    { name: "TABLE", json: JSON.stringify(table) },
    { name: "EGRESS_SECRET", text: egress.secret },
    { name: "CONTROL_SECRET", text: options.control.secret },
    { name: "EGRESS", service: { name: EGRESS } },
    { name: "EGRESS_TCP", service: { name: EGRESS_TCP } },
    ...[...targets.keys()].map((name) => ({ name, service: { name: serviceName(name) } })),
    ...workers.map((worker) => ({
      name: targetKey({ type: "worker", workerName: worker.workerName }),
      service: { name: worker.hasAssets ? `assets:rpc-proxy:${worker.workerName}` : `core:user:${worker.workerName}` },
    })),
  ];
  const services: Service[] = [
    {
      name: SERVICE_WORKER,
      worker: {
        modules: [{ name: "service-worker.js", esModule: options.script }],
        compatibilityDate: COMPATIBILITY_DATE,
        // A Worker's inbound `connect` handler is behind "experimental"; the signal tells of a caller that gave up.
        compatibilityFlags: ["experimental", "enable_request_signal"],
        bindings,
        globalOutbound: { name: NETWORK },
      },
    },
    // Loopback, private and public addresses: `decide` says which.
    { name: NETWORK, network: { allow: ["private", "public"] } },
    {
      name: EGRESS,
      external: {
        address: egress.address,
        http: { cfBlobHeader: ORDER_HEADER, injectRequestHeaders: [{ name: SECRET_HEADER, value: egress.secret }] },
      },
    },
    { name: EGRESS_TCP, external: { address: egress.address, tcp: {} } },
    ...[...targets].map(([name, address]) => ({ name: serviceName(name), external: { address, http: {} } })),
  ];
  return {
    services,
    extensions: [],
    sockets: [
      {
        name: "miniflare-vpc:control",
        address: options.control.address,
        service: { name: SERVICE_WORKER, entrypoint: "Control" },
        http: {},
      },
    ],
  };
}

/**
 * Address of every target that a request can be sent to without looking at the request first, by the
 * name of its binding. A name other than localhost is left to the egress proxy: workerd prints a native
 * stack for one that doesn't resolve.
 */
export function knownTargets(table: RoutingTable): Map<TargetKey, string> {
  const known = new Map<TargetKey, string>();
  for (const { target, keptPort } of targetsOf(table)) {
    const port = target.port ?? keptPort;
    if (port === undefined || target.scheme === "https" || !isLiteralHost(target.host)) continue;
    const to = { type: "address", host: target.host, port } as const;
    known.set(targetKey(to), formatEndpoint(to.host, to.port));
  }
  return known;
}

/** `keptPort`: the destination's, where that is one certain port. */
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

function serviceName(key: TargetKey): string {
  return `miniflare-vpc:${key}`;
}
