/**
 * Decodes the bytes that Miniflare passes to workerd. An unknown union member is an error, because it might not be safe.
 */

import { type List, Message } from "capnp-es";

import type { Binding, Config, DesignatedKind, Designator, PlainKind, Service, Socket, Worker } from "./config.ts";
import * as schema from "./workerd.js";

/**
 * @param bytes one unpacked Cap'n Proto message, a `Config` of workerd's schema
 * @throws if a service or a binding is of an unknown kind
 */
export function readConfig(bytes: Uint8Array): Config {
  const config = new Message(bytes, false).getRoot(schema.Config);
  return {
    services: read(config.services, readService),
    sockets: read(config.sockets, readSocket),
    extensions: read(config.extensions, (extension) =>
      read(extension.modules, ({ name, internal }) => ({ name, internal })),
    ).flat(),
  };
}

function readService(service: schema.Service): Service {
  const { name } = service;
  const which = service.which();
  switch (which) {
    case schema.Service.WORKER:
      return { name, kind: "worker", worker: readWorker(service.worker) };
    case schema.Service.NETWORK: {
      const { allow, deny } = service.network;
      return { name, kind: "network", allow: allow.toArray(), deny: deny.toArray() };
    }
    case schema.Service.EXTERNAL:
      return { name, kind: "external", address: service.external.address, protocol: readProtocol(service.external) };
    case schema.Service.DISK:
      return { name, kind: "disk", path: service.disk.path, writable: service.disk.writable };
    case schema.Service.BUCKET:
      return { name, kind: "bucket", path: service.bucket.path };
    case schema.Service.ASSETS: {
      const { path, userWorker } = service.assets;
      return { name, kind: "assets", path, userWorker: readOptional(userWorker) };
    }
    case schema.Service.UNSPECIFIED:
      throw new Error(`service ${JSON.stringify(name)} is of no kind`);
    default:
      throw unknownMember("Service", which satisfies never, name);
  }
}

function readProtocol(external: schema.ExternalServer): "http" | "https" | "tcp" {
  const which = external.which();
  switch (which) {
    case schema.ExternalServer.HTTP:
      return "http";
    case schema.ExternalServer.HTTPS:
      return "https";
    case schema.ExternalServer.TCP:
      return "tcp";
    default:
      throw unknownMember("ExternalServer", which satisfies never, external.address);
  }
}

function readSocket(socket: schema.Socket): Socket {
  return { name: socket.name, address: socket.address, target: readDesignator(socket.service) };
}

function readWorker(worker: schema.Worker): Worker {
  const { durableObjectStorage: storage } = worker;
  const onDisk = storage.which() === schema.Worker_DurableObjectStorage.LOCAL_DISK;
  return {
    ...readFormat(worker),
    bindings: read(worker.bindings, readBinding),
    // If absent, it is "internet", the schema's default.
    globalOutbound: readDesignator(worker.globalOutbound),
    cacheApiOutbound: readOptional(worker.cacheApiOutbound),
    tails: read(worker.tails, readDesignator),
    streamingTails: read(worker.streamingTails, readDesignator),
    accessBindingService: readOptional(worker.accessBindingService),
    workflowEngine: readOptional(worker.workflowsEngine.actorClass),
    workflows: read(worker.workflowsEngine.workflows, ({ name, bindingService }) => ({
      workflow: name,
      target: readDesignator(bindingService),
    })),
    durableObjects: read(worker.durableObjectNamespaces, ({ className }) => className),
    durableObjectDisk: onDisk ? storage.localDisk : undefined,
  };
}

function readFormat(worker: schema.Worker): Pick<Worker, "format" | "inherits"> {
  const which = worker.which();
  switch (which) {
    case schema.Worker.MODULES:
      return { format: "modules" };
    case schema.Worker.SERVICE_WORKER_SCRIPT:
      return { format: "service-worker" };
    case schema.Worker.INHERIT:
      return { format: "inherited", inherits: worker.inherit };
    default:
      throw unknownMember("Worker", which satisfies never, "");
  }
}

const PLAIN_KINDS = new Map<number, PlainKind>([
  [schema.Worker_Binding.PARAMETER, "parameter"],
  [schema.Worker_Binding.TEXT, "text"],
  [schema.Worker_Binding.DATA, "data"],
  [schema.Worker_Binding.JSON, "json"],
  [schema.Worker_Binding.WASM_MODULE, "wasmModule"],
  [schema.Worker_Binding.CRYPTO_KEY, "cryptoKey"],
  [schema.Worker_Binding.FROM_ENVIRONMENT, "fromEnvironment"],
  [schema.Worker_Binding.UNSAFE_EVAL, "unsafeEval"],
  [schema.Worker_Binding.MEMORY_CACHE, "memoryCache"],
  [schema.Worker_Binding.WORKER_LOADER, "workerLoader"],
]);

const DESIGNATED_KINDS = new Map<
  number,
  { kind: DesignatedKind; target(binding: schema.Worker_Binding): schema.ServiceDesignator }
>([
  [schema.Worker_Binding.SERVICE, { kind: "service", target: ({ service }) => service }],
  [
    schema.Worker_Binding.DURABLE_OBJECT_CLASS,
    { kind: "durableObjectClass", target: ({ durableObjectClass }) => durableObjectClass },
  ],
  [schema.Worker_Binding.KV_NAMESPACE, { kind: "kvNamespace", target: ({ kvNamespace }) => kvNamespace }],
  [schema.Worker_Binding.R2BUCKET, { kind: "r2Bucket", target: ({ r2Bucket }) => r2Bucket }],
  [schema.Worker_Binding.QUEUE, { kind: "queue", target: ({ queue }) => queue }],
  [schema.Worker_Binding.ANALYTICS_ENGINE, { kind: "analyticsEngine", target: (b) => b.analyticsEngine }],
  [schema.Worker_Binding.HYPERDRIVE, { kind: "hyperdrive", target: ({ hyperdrive }) => hyperdrive.designator }],
]);

function readBinding(binding: schema.Worker_Binding): Binding {
  const { name } = binding;
  const which: number = binding.which();
  const plain = PLAIN_KINDS.get(which);
  if (plain !== undefined) return { name, kind: plain };
  const designated = DESIGNATED_KINDS.get(which);
  if (designated !== undefined) {
    return { name, kind: designated.kind, target: readDesignator(designated.target(binding)) };
  }
  switch (which) {
    case schema.Worker_Binding.DURABLE_OBJECT_NAMESPACE: {
      const { className, serviceName } = binding.durableObjectNamespace;
      return {
        name,
        kind: "durableObjectNamespace",
        className,
        ...(serviceName === "" ? {} : { service: serviceName }),
      };
    }
    case schema.Worker_Binding.WRAPPED: {
      const { moduleName, entrypoint, innerBindings } = binding.wrapped;
      return { name, kind: "wrapped", moduleName, entrypoint, inner: read(innerBindings, readBinding) };
    }
    case schema.Worker_Binding.WORKERD_DEBUG_PORT:
      return { name, kind: "workerdDebugPort" };
    default:
      throw unknownMember("Worker.Binding", which, name);
  }
}

function readDesignator(designator: schema.ServiceDesignator): Designator {
  const { name, entrypoint, props } = designator;
  return {
    service: name,
    ...(entrypoint === "" ? {} : { entrypoint }),
    ...(props.which() === schema.ServiceDesignator_Props.JSON ? { props: parseJson(props.json) } : {}),
  };
}

/** An absent designator decodes as one without a name. */
function readOptional(designator: schema.ServiceDesignator): Designator | undefined {
  return designator.name === "" ? undefined : readDesignator(designator);
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

function read<From, To>(list: List<From>, readOne: (item: From) => To): To[] {
  return list.toArray().map(readOne);
}

function unknownMember(union: string, which: number, name: string): Error {
  return new Error(
    `${JSON.stringify(name)} is member ${which} of the union ${union}, which test/capnp/read-config.ts does not read`,
  );
}
