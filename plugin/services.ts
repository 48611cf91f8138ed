/**
 * Table → workerd services: the service worker, one pooled `external` service for each target known
 * now, the network it dials through and the door to the egress proxy. Data only; starts nothing.
 */

import type { Service, ServicesExtensions, Worker_Binding as WorkerBinding } from "miniflare";
import { formatEndpoint, isLiteralHost } from "../service-worker/address.ts";
import { ORDER_HEADER, SECRET_HEADER } from "../service-worker/egress-protocol.ts";
import type { RoutingTable, Target } from "../service-worker/table.ts";
import type { EgressProxy } from "./egress/server.ts";
import { targetKey } from "../service-worker/forward-target.ts";

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
  /** workerd address of the socket for edits; a fresh one each time. */
  controlAddress: string;
  /** Source of the bundled service worker. */
  script: string;
}

export function buildServices(options: ServiceOptions): ServicesExtensions {
  const { table, workers, egress } = options;
  const targets = knownTargets(table);
  const bindings: WorkerBinding[] = [
    { name: "TABLE", json: JSON.stringify(table) },
    { name: "SECRET", text: egress.secret },
    { name: "EGRESS", service: { name: EGRESS } },
    { name: "EGRESS_TCP", service: { name: EGRESS_TCP } },
    ...targets.map(({ name }) => ({ name, service: { name: serviceName(name) } })),
    ...workers.map((worker) => ({
      name: targetKey("http", { type: "worker", workerName: worker.workerName }),
      service: { name: worker.hasAssets ? `assets:rpc-proxy:${worker.workerName}` : `core:user:${worker.workerName}` },
    })),
  ];
  const services: Service[] = [
    {
      name: SERVICE_WORKER,
      worker: {
        modules: [{ name: "service-worker.js", esModule: options.script }],
        compatibilityDate: COMPATIBILITY_DATE,
        // A Worker's inbound `connect` handler is behind "experimental".
        compatibilityFlags: ["experimental"],
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
    ...targets.map(({ name, address, protocol }) => ({
      name: serviceName(name),
      external: protocol === "http" ? { address, http: {} } : { address, tcp: {} },
    })),
  ];
  return {
    services,
    extensions: [],
    sockets: [
      {
        name: "miniflare-vpc:control",
        address: options.controlAddress,
        service: { name: SERVICE_WORKER, entrypoint: "Control" },
        http: {},
      },
    ],
  };
}

interface KnownTarget {
  name: ReturnType<typeof targetKey>;
  address: string;
  protocol: "http" | "tcp";
}

/**
 * Every target that a request can be sent to without looking at the request first. A name other than
 * localhost is left to the egress proxy: workerd prints a native stack for one that doesn't resolve.
 */
function knownTargets(table: RoutingTable): KnownTarget[] {
  const known = new Map<string, KnownTarget>();
  const add = (protocol: "http" | "tcp", to: Parameters<typeof targetKey>[1], address: string): void => {
    const name = targetKey(protocol, to);
    known.set(name, { name, address, protocol });
  };
  for (const { target, port } of targetsOf(table)) {
    if (target.type === "unix") {
      add("http", target, `unix:${target.path}`);
      add("tcp", target, `unix:${target.path}`);
    } else if (target.type === "address" && target.scheme !== "https" && isLiteralHost(target.host)) {
      const targetPort = target.port ?? port;
      if (targetPort === undefined) continue;
      add("http", { ...target, port: targetPort }, formatEndpoint(target.host, targetPort));
    }
  }
  return [...known.values()];
}

/** `port`: the destination's, where it is one certain port. */
function* targetsOf(table: RoutingTable): Generator<{ target: Target; port: number | undefined }> {
  for (const binding of Object.values(table.bindings)) {
    if (binding.kind === "service" && binding.service.target !== undefined && binding.service.type !== "tcp") {
      yield { target: binding.service.target, port: binding.service.httpPort };
    }
  }
  for (const network of table.networks) {
    for (const { target, ports } of network.routes) {
      yield { target, port: ports !== undefined && ports.from === ports.to ? ports.from : undefined };
    }
  }
}

function serviceName(key: string): string {
  return `miniflare-vpc:${key}`;
}
