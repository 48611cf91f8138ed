/** A Worker under test whose network an HTTP client directs. */

import { type Control, startControl } from "../../plugin/control/control.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import { findRunning } from "../../plugin/scenario/running.ts";
import type { Scenario } from "../../plugin/scenario/scenario.ts";
import type { VpcConfig } from "../../plugin/config.ts";
import { type Operation, type TestWorker, type VpcFetcher, startTestWorker } from "../setup/test-worker.ts";

export interface Controlled extends TestWorker {
  /** With the token. */
  url: string;
  scenario: Scenario;
  call: <Result = unknown>(op: string, argument?: unknown) => Promise<Result>;
  // oxlint-disable-next-line typescript/no-explicit-any -- each test knows what it asks for
  ask: (method: string, path: string, body?: unknown) => Promise<{ status: number; json: any }>;
}

type Env = Record<string, VpcFetcher>;

interface FetchArgument {
  binding?: string;
  url: string;
  method?: string;
  /** Bytes of the body. */
  size?: number;
}

export const ops: Record<string, Operation<Env>> = {
  // A long body doesn't fit in the operation's argument.
  fetch: async (env, { binding = "NET", url, size, ...init }: FetchArgument) => {
    const body = size === undefined ? init : { ...init, body: "x".repeat(size) };
    const response: Response = await env[binding]!.fetch(url, body);
    const cookies = response.headers.getSetCookie();
    return { status: response.status, text: await response.text(), ...(cookies.length > 0 && { cookies }) };
  },
  /** Many at once. */
  many: async (env, { from, count }: { from: number; count: number }) => {
    const calls = Array.from({ length: count }, (_, index) =>
      env["NET"]!.fetch(`http://a.internal/many/${from + index}`),
    );
    for (const response of await Promise.all(calls)) await response.text();
  },
  /** Sends each text after the answer to the one before. */
  talk: async (env, { url, texts }: { url: string; texts: string[] }) => {
    const { webSocket } = await env["NET"]!.fetch(url, { headers: { upgrade: "websocket" } });
    let answered: (() => void) | undefined;
    webSocket.addEventListener("message", () => answered?.());
    webSocket.accept();
    for (const text of texts) {
      const answer = new Promise<void>((resolve) => (answered = resolve));
      webSocket.send(text);
      await answer;
    }
    webSocket.close(1000, "done");
  },
  connect: async (env, { binding = "NET", address, text }: { binding?: string; address: string; text: string }) => {
    const socket = await env[binding]!.connect(address);
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
    return new Response(socket.readable).text();
  },
};

/** @param options `folder`: where `connectVpc()` and the commands find it */
export async function startControlled(options: {
  config: VpcConfig;
  env?: Record<string, object>;
  folder?: string;
}): Promise<Controlled> {
  const stack = new AsyncDisposableStack();
  const worker = stack.use(await startTestWorker({ ...options, ops }));
  const { scenario, control } = await controlOf(worker.miniflare, stack, options.folder);
  const { url = "" } = control;
  return {
    ...worker,
    url,
    scenario,
    async ask(method, path, body) {
      const response = await fetch(url + path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
      const text = await response.text();
      return { status: response.status, json: text === "" ? undefined : JSON.parse(text) };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Starts the control server of an instance. */
export async function controlOf(
  miniflare: { getBindings(): Promise<Record<string, unknown>> },
  stack: AsyncDisposableStack,
  folder = "/nowhere",
): Promise<{ scenario: Scenario; control: Control }> {
  const { MINIFLARE_VPC: id } = await miniflare.getBindings();
  const running = findRunning(String(id));
  if (running === undefined) throw new Error("the instance has no scenario");
  const { privateDirectory } = await egressProxy();
  const { scenario } = running;
  const control = await startControl(scenario, { folders: [folder], port: 0, privateDirectory });
  stack.defer(() => control.close());
  return { scenario, control };
}
