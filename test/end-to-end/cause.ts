/** The form of a cause of an error code, and the operations that trigger it. */

import type { NetworkEntry, VpcConfig } from "../../plugin/config.ts";
import type { ProxyErrorCode } from "../../service-worker/routing/error-codes.ts";
import type { Operation, TestEnv, VpcFetcher } from "../setup/test-worker.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";

type CauseOp =
  | "healthy"
  | "fetch"
  | "service"
  | "post"
  | "upload"
  | "trace"
  | "upgrade"
  | "connect"
  | "connectService"
  | "again"
  | "fetchThrice"
  | "connectThrice";

export interface Cause {
  op: CauseOp;
  /** `PORT` is replaced by the port of the session. */
  argument: string;
  /** Routes of the network bound to `NET`. */
  routes?: NonNullable<NetworkEntry["routes"]>;
  network?: NetworkEntry;
  /** Limits, and services. */
  config?: VpcConfig;
  /** Printed in addition to the code. */
  says: string | RegExp;
  /** The code on a lane, where workerd reads the answer and gives no cause. */
  onLane?: ProxyErrorCode;
  /** On a lane, only workerd limits it, and its limit depends on the pieces in which the bytes come. */
  variesOnLane?: true;
}

/** Servers go on the stack; they live as long as the test. */
export type PrepareCause = (stack: AsyncDisposableStack) => Cause | Promise<Cause>;

/** A description → the cause. */
export type Causes = Record<string, PrepareCause>;

export { SERVICE, TUNNEL };

/** A target that is known when the runtime starts, so workerd connects directly. */
export function directly(port: number, says: Cause["says"], more: Partial<Cause> = {}): Cause {
  return {
    op: "fetch",
    argument: "http://a.internal/",
    routes: { "a.internal": `127.0.0.1:${port}` },
    says,
    ...more,
  };
}

/** A port that is known only with the request, so the request goes through the egress proxy. */
export function throughEgress(port: number, says: Cause["says"], more: Partial<Cause> = {}): Cause {
  return {
    op: "fetch",
    argument: `http://a.internal:${port}/`,
    routes: { "a.internal": "127.0.0.1" },
    says,
    ...more,
  };
}

export function overTls(port: number, says: Cause["says"], more: Partial<Cause> = {}): Cause {
  return directly(port, says, { argument: "https://a.internal/", ...more });
}

export function byConnect(port: number, says: Cause["says"], more: Partial<Cause> = {}): Cause {
  return directly(port, says, { op: "connect", argument: "a.internal:1", ...more });
}

export type CauseEnv = TestEnv & { HEALTHY: VpcFetcher };

/** Run in workerd. Each throws the code, from the call itself or while it reads the result. */
export const causeOps: Record<CauseOp, Operation<CauseEnv>> = {
  healthy: async (env) => (await env.HEALTHY.fetch("http://healthy/")).text(),
  fetch: async (env, url: string) => (await env.NET.fetch(url)).text(),
  service: async (env, url: string) => (await env.API.fetch(url)).text(),
  post: async (env, url: string) => (await env.NET.fetch(url, { method: "POST", body: "once" })).text(),
  /** 64 MiB. */
  upload: async (env, url: string) => {
    const body = new Blob(Array.from({ length: 64 }, () => new Uint8Array(1024 * 1024)));
    return (await env.NET.fetch(url, { method: "POST", body })).text();
  },
  trace: async (env, url: string) => (await env.NET.fetch(url, { method: "TRACE" })).text(),
  upgrade: async (env, url: string) => {
    const { status } = await env.NET.fetch(url, { headers: { Upgrade: "websocket" } });
    return status;
  },
  connect: async (env, address: string) => void (await env.NET.connect(address)),
  connectService: async (env, address: string) => void (await env.API.connect(address)),
  /** Sends the same request to itself, and throws the error in the response. */
  again: async (env, url: string, request) => {
    const response = await env.NET.fetch(url + new URL(request.url).search);
    const answer = (await response.json()) as { error?: Error };
    if (answer.error) throw new Error(answer.error.message);
  },
  /** One call more than the config of its causes allows. */
  fetchThrice: async (env, url: string) => {
    const calls = [1, 2, 3].map(async () => (await env.NET.fetch(url)).text());
    await Promise.all(calls);
  },
  connectThrice: async (env, address: string) => {
    for (const _ of [1, 2, 3]) await env.NET.connect(address);
  },
};
