/**
 * Turns a table into workerd services: the service worker, pooled `external` services for the targets that are
 * known now, the network for dialling, and the egress proxy. Data only; starts nothing.
 */

import type { Service, Void, Worker_Binding as WorkerBinding } from "miniflare";
import { type LaneName, ORDER_HEADER, SECRET_HEADER } from "../../service-worker/routing/egress-protocol.ts";
import { TEST_BINDING } from "../../service-worker/routing/test-protocol.ts";
import { findOwnHosts } from "../system/own-hosts.ts";
import { packTable } from "../../service-worker/routing/packed-table.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";
import type { NativeTarget, NativeTls } from "../egress/tls/native-tls.ts";
import type { EgressProxy } from "../egress/server.ts";
import { type TargetKey, targetKey } from "../../service-worker/routing/forward-target.ts";
import { knownTargets } from "./known-targets.ts";

export const SERVICE_WORKER = "miniflare-vpc";
/** The entrypoint of the service worker for code in Node. */
export const NODE_ENTRYPOINT = "NodeBinding";
export const FACADE_MODULE = "miniflare-vpc:binding";
export const HYPERDRIVE_MODULE = "miniflare-vpc:hyperdrive";
export const TEST_DOOR_MODULE = "miniflare-vpc:test-binding";
const NETWORK = "miniflare-vpc:network";
const EGRESS = "miniflare-vpc:egress";
/** The service worker's Durable Objects. */
const FOLLOWER = "TableFollower";
const FUNCTIONS = "TestFunctions";
const EGRESS_TCP = "miniflare-vpc:egress-tcp";

/** Brings the isolate of a vitest test its door, and leaves nothing in `env`. */
export const TEST_DOOR: WorkerBinding = {
  name: TEST_BINDING,
  wrapped: {
    moduleName: TEST_DOOR_MODULE,
    innerBindings: [{ name: "door", service: { name: SERVICE_WORKER, entrypoint: "TestDoor" } }],
  },
};

/** The oldest supported workerd knows this date. */
const COMPATIBILITY_DATE = "2025-11-01";

/** Stands for a member without a value. Miniflare's own symbol for it is that of one copy of Miniflare; any symbol will do. */
const VOID: Void = Symbol("void") as never;

export interface WorkerTarget {
  workerName: string;
  /** A Worker with assets answers through Miniflare's asset router. */
  hasAssets: boolean;
  /** A vitest test runs in it. */
  isForTest: boolean;
}

export interface ServiceOptions {
  table: RoutingTable;
  /** Every Worker of the session, because an edit may name any of them. */
  workers: readonly WorkerTarget[];
  egress: Pick<EgressProxy, "address" | "secret">;
  /** The id of the feed that sends later tables. */
  feedId: string;
  /** The https targets that workerd's own client may take. */
  native: Pick<NativeTls, "targets">;
  /** Where the Hyperdrive bindings of the session connect to, by `bindingKey`. */
  doors: ReadonlyMap<string, string>;
  /** The addresses of reserve services, for targets that are only known later. */
  lanes: ReadonlyMap<LaneName, string>;
  /** Source of the bundled service worker. */
  script: string;
}

export function buildServices(options: ServiceOptions): Service[] {
  const { table, workers, egress } = options;
  const targets = new Map<TargetKey, External>([
    ...[...knownTargets(table)].map(([name, address]) => [name, { address, http: {} }] as const),
    ...[...options.native.targets].map(([name, target]) => [name, secureExternal(target)] as const),
  ]);
  const objects = [FOLLOWER, ...(workers.some(({ isForTest }) => isForTest) ? [FUNCTIONS] : [])];
  const bindings: WorkerBinding[] = [
    { name: "TABLE", json: JSON.stringify(packTable(table)) },
    { name: "EGRESS_SECRET", text: egress.secret },
    { name: "FEED_ID", text: options.feedId },
    { name: "OWN_HOSTS", json: JSON.stringify(findOwnHosts()) },
    { name: "EGRESS", service: { name: EGRESS } },
    { name: "EGRESS_TCP", service: { name: EGRESS_TCP } },
    { name: "RELAY", service: { name: SERVICE_WORKER, entrypoint: "Relay" } },
    ...objects.map((className) => ({
      name: className === FOLLOWER ? "FOLLOWER" : "FUNCTIONS",
      durableObjectNamespace: { className },
    })),
    ...[...targets.keys(), ...options.lanes.keys()].map((name) => ({ name, service: { name: serviceName(name) } })),
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
        // A Worker's inbound `connect` handler needs "experimental". The signal reports a caller that gave up.
        compatibilityFlags: ["experimental", "enable_request_signal"],
        bindings,
        globalOutbound: { name: NETWORK },
        durableObjectNamespaces: objects.map((name) => ({
          className: name,
          uniqueKey: name,
          preventEviction: true,
        })),
        durableObjectStorage: { inMemory: VOID },
      },
    },
    // Allows loopback, private and public addresses, because `decide` chooses.
    { name: NETWORK, network: { allow: ["private", "public"] } },
    {
      name: EGRESS,
      external: {
        address: egress.address,
        http: { cfBlobHeader: ORDER_HEADER, injectRequestHeaders: [{ name: SECRET_HEADER, value: egress.secret }] },
      },
    },
    { name: EGRESS_TCP, external: { address: egress.address, tcp: {} } },
    ...[...targets].map(([name, external]) => ({ name: serviceName(name), external })),
    ...[...options.lanes].map(([name, address]) => ({ name: serviceName(name), external: { address, http: {} } })),
    ...[...options.doors].map(([key, address]) => ({ name: doorName(key), external: { address, tcp: {} } })),
  ];
  return services;
}

type External = NonNullable<Extract<Service, { external?: unknown }>["external"]>;

function secureExternal({ address, hostName, roots, hasPublic }: NativeTarget): External {
  const tlsOptions = { trustBrowserCas: hasPublic, trustedCertificates: [...roots] };
  return { address, https: { options: {}, tlsOptions, certificateHost: hostName } };
}

function serviceName(key: TargetKey | LaneName): string {
  return `miniflare-vpc:${key}`;
}

/** The service that a Hyperdrive binding connects to. @param key a `bindingKey` */
export function doorName(key: string): string {
  return `miniflare-vpc:hyperdrive:${key}`;
}
