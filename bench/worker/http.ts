/** Requests, one after another or several at once. */

import type { Requests, Transfers } from "../jobs.ts";

export type Env = Record<string, Fetcher>;

export function bindingOf(env: Env, bindingName: string): Fetcher {
  const binding = env[bindingName];
  if (binding === undefined) throw new Error(`there is no binding ${bindingName}`);
  return binding;
}

/** Reads small answers to their end. A POST has a small body. */
export async function fetchMany(env: Env, { through, url, operations, inFlight, method }: Requests): Promise<void> {
  const init = method && { method, body: "a small body" };
  const fetcher = through === undefined ? undefined : bindingOf(env, through);
  let remaining = operations;
  const work = async (): Promise<void> => {
    while (remaining-- > 0) {
      const response = await (fetcher === undefined ? fetch(url, init) : fetcher.fetch(url, init));
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${through}: ${response.status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

/** Transfers long bodies. */
export async function transfer(env: Env, transfers: Transfers): Promise<void> {
  const { through, url, operations, inFlight, direction, bytes } = transfers;
  const fetcher = through === undefined ? undefined : bindingOf(env, through);
  const body = new Uint8Array(direction === "up" ? bytes : 0);
  let remaining = operations;
  const work = async (): Promise<void> => {
    while (remaining-- > 0) {
      const request = direction === "up" ? new Request(url, { method: "PUT", body }) : new Request(`${url}${bytes}`);
      const response = await (fetcher === undefined ? fetch(request) : fetcher.fetch(request));
      const moved = direction === "up" ? Number(await response.text()) : await countBytes(response.body);
      if (moved !== bytes) throw new Error(`${through}: ${moved} of ${bytes} bytes`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

/** @returns the number of bytes */
export async function countBytes(stream: ReadableStream<Uint8Array> | null): Promise<number> {
  const reader = stream?.getReader({ mode: "byob" });
  let bytes = 0;
  let view = new Uint8Array(256 * 1024);
  for (;;) {
    const read = await reader?.read(view);
    if (read === undefined || read.done || read.value === undefined) return bytes;
    bytes += read.value.byteLength;
    view = new Uint8Array(read.value.buffer);
  }
}
