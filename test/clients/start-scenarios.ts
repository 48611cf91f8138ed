/** A scenario Worker in Miniflare, with a VPC Network that leads to the test's servers. */

import { existsSync } from "node:fs";
import { Miniflare, type MiniflareOptions } from "miniflare";
import { type HyperdriveEntry, type VpcConfig, withVpc } from "miniflare-vpc";
import { bundle, COMPATIBILITY } from "./bundle.ts";

export const TUNNEL = "550e8400-e29b-41d4-a716-446655440000";

export interface Scenarios extends AsyncDisposable {
  miniflare: Miniflare;
  /** @throws an `Error` with what the scenario threw */
  run<Returned>(scenario: string, query?: Record<string, string>): Promise<Returned>;
  /** @returns what the scenario threw, and the time until then. @throws if it didn't throw */
  fail(scenario: string, query?: Record<string, string>): Promise<Failure>;
}

export interface Failure {
  thrown: string;
  milliseconds: number;
}

type Routes = NonNullable<Exclude<NonNullable<VpcConfig["networks"]>[string], string>["routes"]>;

/** @param worker the name of a file in `workers/` */
export async function startScenarios(worker: string, routes: Routes): Promise<Scenarios> {
  return await start(worker, { env: { NETWORK: network }, vpc: { networks: { [TUNNEL]: { routes } } } });
}

/**
 * The library connects with a Hyperdrive binding.
 *
 * @param vpc has the service `database`
 */
export async function startHyperdrive(
  worker: string,
  login: Omit<HyperdriveEntry, "service">,
  vpc: VpcConfig,
): Promise<Scenarios> {
  const env = { DB: { type: "hyperdrive", id: "0d1f6b5f2b6b4c3aa5f0c4d7b3c1e9aa" } } as const;
  return await start(worker, { env, vpc: { ...vpc, hyperdrive: { DB: { service: "database", ...login } } } });
}

async function start(
  worker: string,
  { env, vpc }: { env: Record<string, object>; vpc: VpcConfig },
): Promise<Scenarios> {
  const file = `${import.meta.dirname}/workers/${worker}`;
  // Workers in JavaScript use libraries that don't accept a socket.
  const isAliased = existsSync(`${file}.js`);
  const manifest = await bundle(`${file}.${isAliased ? "js" : "ts"}`, { isAliased });
  const config = { name: worker, ...COMPATIBILITY, manifest, env };
  const miniflare = new Miniflare(withVpc({ workers: [{ config }] }, { config: vpc }) as MiniflareOptions);
  async function ask<Returned>(scenario: string, query: Record<string, string>): Promise<Answer<Returned>> {
    const response = await miniflare.dispatchFetch(
      `http://worker/${scenario}?${new URLSearchParams(query).toString()}`,
    );
    return (await response.json()) as Answer<Returned>;
  }
  return {
    miniflare,
    async run<Returned>(scenario: string, query: Record<string, string> = {}): Promise<Returned> {
      const answer = await ask<Returned>(scenario, query);
      if ("thrown" in answer) throw new Error(`${worker}/${scenario} threw ${answer.thrown}`);
      return answer.returned;
    },
    async fail(scenario, query = {}) {
      const answer = await ask(scenario, query);
      if ("thrown" in answer) return answer;
      throw new Error(`${worker}/${scenario} did not throw but returned ${JSON.stringify(answer.returned)}`);
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
}

type Answer<Returned> = { returned: Returned } | Failure;

const network = { type: "vpc-network", tunnelId: TUNNEL } as const;
