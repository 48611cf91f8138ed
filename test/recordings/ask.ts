/** A Worker that asks what a test says, and returns everything that it sees. */

import type { VpcConfig, VpcTarget } from "../../plugin/config.ts";
import { SERVICE, TUNNEL, type TestEnv, type TestWorker, startTestWorker } from "../setup/test-worker.ts";

export interface Asking {
  binding?: "API" | "NET";
  url: string;
  method?: string;
  headers?: Record<string, string>;
  /** Base64: bytes. */
  body?: string | { base64: string };
  redirect?: "follow" | "manual";
}

export interface Seen {
  /** Absent: it failed. */
  status?: number;
  statusText?: string;
  headers: [string, string][];
  text: string;
  base64: string;
  error?: string;
}

const ops = {
  ask: async (env: TestEnv, { binding = "NET", url, body, ...init }: Asking): Promise<Seen> => {
    try {
      const bytes = typeof body === "object" ? Uint8Array.from(atob(body.base64), (c) => c.codePointAt(0) ?? 0) : body;
      const response = await env[binding].fetch(url, { ...init, ...(bytes !== undefined && { body: bytes }) });
      const received = new Uint8Array(await response.arrayBuffer());
      let binary = "";
      for (const byte of received) binary += String.fromCodePoint(byte);
      const { status, statusText, headers } = response;
      const text = new TextDecoder().decode(received);
      return { status, statusText, headers: [...headers], text, base64: btoa(binary) };
    } catch (error) {
      return { headers: [], text: "", base64: "", error: (error as Error).message };
    }
  },
  /** Sends each text after the one before it was answered. */
  talk: async (
    env: TestEnv,
    { url, send, count }: { url: string; send: (string | number[])[]; count: number },
  ): Promise<unknown> => {
    const response = await env.NET.fetch(url, { headers: { upgrade: "websocket" } });
    const { webSocket } = response;
    if (webSocket === null) return response.status;
    const received: unknown[] = [];
    const waiting = [...send];
    const done = new Promise<void>((resolve) => {
      webSocket.addEventListener("message", ({ data }) => {
        received.push(typeof data === "string" ? data : [...new Uint8Array(data as ArrayBuffer)]);
        if (received.length === count) return resolve();
        const next = waiting.shift();
        if (next !== undefined) webSocket.send(typeof next === "string" ? next : Uint8Array.from(next));
      });
      webSocket.addEventListener("close", () => resolve());
    });
    (webSocket as unknown as { binaryType: string }).binaryType = "arraybuffer";
    webSocket.accept();
    await done;
    webSocket.close(1000, "bye");
    return received;
  },
  connect: async (env: TestEnv, address: string): Promise<string> =>
    env.NET.connect(address).then(
      () => "connected",
      (error: Error) => error.message,
    ),
};

export interface AskingWorker extends TestWorker {
  ask: (asking: Asking) => Promise<Seen>;
}

/** @param target of `users.internal` in the network, and of the service; or the whole config, or its file */
export async function startAsking(target: VpcTarget | { config: VpcConfig | string }): Promise<AskingWorker> {
  const config =
    typeof target === "object" && "config" in target
      ? target.config
      : { services: { [SERVICE]: target }, networks: { [TUNNEL]: { routes: { "users.internal": target } } } };
  const worker = await startTestWorker({ ops, config });
  return Object.assign(worker, { ask: (asking: Asking) => worker.call<Seen>("ask", asking) });
}

export function headerOf({ headers }: Seen, wanted: string): string | undefined {
  return headers.find(([name]) => name === wanted)?.[1];
}
