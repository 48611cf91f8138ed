/** A Worker with many bindings, and a vpc config of that size. Each service and route has its own target. */

import type { MiniflareOptions } from "miniflare";

export interface Size {
  services: number;
  routes: number;
  /** Ordinary service bindings, to the Worker itself: a control, for what Miniflare itself takes. Default: none. */
  ordinary?: number;
}

const NAME = "bench";
const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

/** @param size undefined: no bindings */
export function optionsFor(size: Size | undefined, contents: string): MiniflareOptions {
  const services = Array.from({ length: size?.services ?? 0 }, (_, nth) => [
    `SERVICE_${nth}`,
    { type: "vpc-service", id: crypto.randomUUID() },
  ]);
  const ordinary = Array.from({ length: size?.ordinary ?? 0 }, (_, nth) => [
    `WORKER_${nth}`,
    { type: "worker", worker: NAME },
  ]);
  const networks = size === undefined ? [] : [["NET", { type: "vpc-network", tunnelId: TUNNEL }]];
  const env = Object.fromEntries([...services, ...ordinary, ...networks]);
  const manifest = { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } };
  return {
    cf: false,
    workers: [{ config: { name: NAME, compatibilityDate: "2026-11-01", manifest, env } }],
  } as MiniflareOptions;
}

/** @param more routes of the network, before the others */
export function configFor({ services, routes }: Size, more: Record<string, string> = {}): object {
  const targets = Array.from({ length: services }, (_, nth) => [`SERVICE_${nth}`, `http://127.0.0.1:${10_000 + nth}`]);
  const lines = Array.from({ length: routes }, (_, nth) => [`host-${nth}.internal:80`, `127.0.0.1:${20_000 + nth}`]);
  return {
    services: Object.fromEntries(targets),
    networks: { [TUNNEL]: { routes: { ...more, ...Object.fromEntries(lines) } } },
  };
}
