/**
 * Starts one Miniflare instance, sends its parent the milliseconds until the first answer, and stays until the parent
 * disconnects. Its argument is a `Size` as JSON; without one, there is no plugin.
 */

import { Miniflare, type MiniflareOptions } from "miniflare";
import { withVpc } from "miniflare-vpc";

export interface Size {
  services: number;
  routes: number;
}

const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

function optionsFor({ services, routes }: Size): MiniflareOptions {
  const bindings = Array.from({ length: services }, (_, nth) => [
    `SERVICE_${nth}`,
    { type: "vpc-service", id: crypto.randomUUID() },
  ]);
  const env = Object.fromEntries([
    ...bindings,
    ...(routes > 0 ? [["NET", { type: "vpc-network", tunnelId: TUNNEL }]] : []),
  ]);
  const contents = "export default { fetch: () => new Response() }";
  const manifest = { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } };
  return {
    cf: false,
    workers: [{ config: { name: "bench", compatibilityDate: "2026-11-01", manifest, env } }],
  } as MiniflareOptions;
}

/** The services and routes each have their own target. */
function configFor({ services, routes }: Size): object {
  const targets = Array.from({ length: services }, (_, nth) => [`SERVICE_${nth}`, `http://127.0.0.1:${10_000 + nth}`]);
  const lines = Array.from({ length: routes }, (_, nth) => [`host-${nth}.internal:80`, `127.0.0.1:${20_000 + nth}`]);
  return { services: Object.fromEntries(targets), networks: { [TUNNEL]: { routes: Object.fromEntries(lines) } } };
}

const [argument] = process.argv.slice(2);
const size = argument === undefined ? undefined : (JSON.parse(argument) as Size);
const plain = optionsFor(size ?? { services: 0, routes: 0 });
const options = size === undefined ? plain : withVpc(plain, { config: configFor(size) });

const started = performance.now();
const miniflare = new Miniflare(options);
await (await miniflare.dispatchFetch("http://worker/")).text();
process.send?.(performance.now() - started);

process.once("disconnect", () => void miniflare.dispose());
