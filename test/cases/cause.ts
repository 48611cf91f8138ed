/** What makes an error code arise, and how such a cause is written down. */

import type { NetworkEntry, VpcConfig } from "../../plugin/config.ts";
import type { Operation } from "../session.ts";
import { SERVICE, TUNNEL } from "../session.ts";

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
  /** `PORT` stands for the session's own. */
  argument: string;
  /** Of the network bound to `NET`. */
  routes?: NonNullable<NetworkEntry["routes"]>;
  network?: NetworkEntry;
  /** Limits, and services. */
  config?: VpcConfig;
  /** What the developer reads besides the code. */
  says: string | RegExp;
}

/** Servers go on the stack; they live as long as the test. */
export type PrepareCause = (stack: AsyncDisposableStack) => Cause | Promise<Cause>;

/** By what it is in words. */
export type Causes = Record<string, PrepareCause>;

export { SERVICE, TUNNEL };

/** To a target known when the runtime starts: workerd's own client. */
export function directly(port: number, says: Cause["says"], more: Partial<Cause> = {}): Cause {
  return {
    op: "fetch",
    argument: "http://a.internal/",
    routes: { "a.internal": `127.0.0.1:${port}` },
    says,
    ...more,
  };
}

/** To a port known only with the request: the egress proxy. */
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

/** Run inside workerd; each fails with the code, from the call itself or from reading what it gave. */
export const causeOps: Record<CauseOp, Operation> = {
  healthy: async (env) => (await env.HEALTHY.fetch("http://healthy/")).text(),
  fetch: async (env, url) => (await env.NET.fetch(url)).text(),
  service: async (env, url) => (await env.API.fetch(url)).text(),
  post: async (env, url) => (await env.NET.fetch(url, { method: "POST", body: "once" })).text(),
  /** 64 MiB. */
  upload: async (env, url) => {
    const body = new Blob(Array.from({ length: 64 }, () => new Uint8Array(1024 * 1024)));
    return (await env.NET.fetch(url, { method: "POST", body })).text();
  },
  trace: async (env, url) => (await env.NET.fetch(url, { method: "TRACE" })).text(),
  upgrade: async (env, url) => {
    const { status } = await env.NET.fetch(url, { headers: { Upgrade: "websocket" } });
    return status;
  },
  connect: async (env, address) => void (await env.NET.connect(address)),
  connectService: async (env, address) => void (await env.API.connect(address)),
  /** Asks itself for the same again, and throws what that threw. */
  again: async (env, url, request) => {
    const answer = await (await env.NET.fetch(url + new URL(request.url).search)).json();
    if (answer.error) throw new Error(answer.error.message);
  },
  /** One more than the config of its causes allows. */
  fetchThrice: async (env, url) => {
    const calls = [1, 2, 3].map(async () => (await env.NET.fetch(url)).text());
    await Promise.all(calls);
  },
  connectThrice: async (env, address) => {
    for (const _ of [1, 2, 3]) await env.NET.connect(address);
  },
};
