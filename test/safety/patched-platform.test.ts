/** A Worker that patches its platform before it uses its bindings gains nothing. */

import { readFile } from "node:fs/promises";
import path from "node:path";

import type { Miniflare, MiniflareOptions } from "miniflare";
import { expect, test } from "vitest";

import { withVpc } from "miniflare-vpc";
import { manifest, startMiniflare } from "../capnp/start-miniflare.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";

type WorkerOptions = MiniflareOptions["workers"][number];

const SERVICE_ID = "e6a0817c-79c5-40ca-9776-a1c019defe70";
const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";
const OTHER_TUNNEL = "0f3c8d4e-7b1a-4c57-9e58-2a6d1f0b9c33";

/** The attacker's global outbound, so that it can only reach targets through a binding. */
const WALL = worker(
  "wall",
  manifest(
    "export default { fetch: () => new Response('wall', { status: 403 }), connect: (socket) => socket.close() }",
  ),
);

/** A naive facade: it holds a network in a closure. */
const CARELESS_FACADE = `
  import attacker from "./attacker.js";
  export default {
    fetch(request, { HELD }, ctx) {
      const facade = () => ({ fetch: (url) => HELD.fetch(url), connect: (address) => HELD.connect(address) });
      return attacker.fetch(request, { API: facade(), NET: facade() }, ctx);
    },
  };
`;

/** The compatibility date changes what can be patched. */
const DATES = ["2021-01-01", "2026-01-01"];

test.each(DATES)("it reaches targets of its own routes, and none of another Worker's (%s)", async (date) => {
  await using origin = await startHttpOrigin(ok("the origin"));
  await using vault = await startHttpOrigin(ok("the vault"));
  const script = manifest(await attackerScript());
  const owner = manifest("export default { fetch: (_, env) => env.NET.fetch('http://vault.internal/') }");
  await using miniflare = startMiniflare(
    withVpc(
      {
        // Hides a thousand lines about failed attempts.
        handleStructuredLogs: () => undefined,
        workers: [
          worker("attacker", script, {
            date,
            env: { API: { type: "vpc-service", id: SERVICE_ID }, NET: { type: "vpc-network", tunnelId: TUNNEL } },
          }),
          worker("owner", owner, { env: { NET: { type: "vpc-network", tunnelId: OTHER_TUNNEL } } }),
          WALL,
        ],
      },
      {
        config: {
          services: { [SERVICE_ID]: addressOf(origin) },
          networks: {
            [TUNNEL]: { routes: { [addressOf(origin)]: addressOf(origin) } },
            [OTHER_TUNNEL]: { routes: { "vault.internal": addressOf(vault) } },
          },
          traffic: false,
        },
      },
    ),
  );
  const atOwner = await (await miniflare.getWorker("owner")).fetch("http://owner.test/");
  expect(await atOwner.text()).toBe("the vault");
  const before = vault.accepted;

  const report = await attack(miniflare, { open: addressOf(origin), vaults: [addressOf(vault), "vault.internal:80"] });
  expectUsesToWork(report);
  expect(report.reached).toEqual([]);
  expect(vault.accepted).toBe(before);
});

test.each(DATES)("the attack itself works: it reaches the vault if a facade holds a network (%s)", async (date) => {
  await using origin = await startHttpOrigin(ok("the origin"));
  await using vault = await startHttpOrigin(ok("the vault"));
  const script = manifest(CARELESS_FACADE, { "attacker.js": await attackerScript() });
  await using miniflare = startMiniflare({
    handleStructuredLogs: () => undefined,
    workers: [worker("attacker", script, { date, env: { HELD: { type: "network", allow: ["private"] } } }), WALL],
  });
  const report = await attack(miniflare, { open: addressOf(origin), vaults: [addressOf(vault)] });
  expectUsesToWork(report);
  expect(report.reached).toContain("the vault");
  expect(vault.accepted).toBeGreaterThan(0);
});

interface AttackReport {
  /** A documented use of a binding → the answer. */
  answers: Record<string, string>;
  /** Answers of the vault. */
  reached: string[];
  attempts: number;
  /** The number of Fetchers that it got, and of their calls that it saw. */
  fetchers: number;
  calls: number;
}

async function attack(miniflare: Miniflare, at: { open: string; vaults: string[] }): Promise<AttackReport> {
  const response = await miniflare.dispatchFetch("http://attacker.test/", {
    headers: { "x-open": at.open, "x-vault": at.vaults.join(" ") },
  });
  return (await response.json()) as AttackReport;
}

/** The bindings work in the Worker, and the attack found things to try. */
function expectUsesToWork({ answers, attempts, fetchers, calls }: AttackReport): void {
  expect(answers).toEqual({
    "API: fetch": "the origin",
    "API: connect": expect.stringContaining("the origin"),
    "API: connect, opened": expect.stringContaining("the origin"),
    "NET: fetch": "the origin",
    "NET: connect": expect.stringContaining("the origin"),
    "NET: connect, opened": expect.stringContaining("the origin"),
  });
  expect(attempts).toBeGreaterThan(100);
  expect(fetchers).toBeGreaterThan(0);
  expect(calls).toBeGreaterThan(0);
}

function addressOf({ port }: { port: number }): string {
  return `127.0.0.1:${port}`;
}

function attackerScript(): Promise<string> {
  return readFile(path.join(import.meta.dirname, "../capnp/attacker.js"), "utf8");
}

function worker(
  name: string,
  script: ReturnType<typeof manifest>,
  { env = {}, date = "2026-01-01" }: { env?: NonNullable<WorkerOptions["config"]["env"]>; date?: string } = {},
): WorkerOptions {
  const dev = name === "attacker" ? { outboundService: { type: "worker" as const, worker: "wall" } } : {};
  return { config: { name, compatibilityDate: date, manifest: script, env }, dev };
}
