/** Describes a response as a Worker sees it. Its source runs in workerd. */

import type { SceneResponse, Seen } from "./case.ts";

export async function see(pending: SceneResponse): Promise<Seen> {
  // oxlint-disable-next-line unicorn/consistent-function-scoping -- the function's source is what runs
  const tellError = (error: Error): string => {
    const { name, message, stack: _, code: __, ...marks } = error as Error & { code?: unknown };
    return `threw ${name}: ${message}${Object.keys(marks).length > 0 ? ` ${JSON.stringify(marks)}` : ""}`;
  };
  let response: SceneResponse;
  try {
    response = await pending;
  } catch (error) {
    return [tellError(error as Error)];
  }
  const lines = [
    `${response.status} ${response.statusText}`,
    `at ${response.url}${response.redirected ? " (redirected)" : ""}`,
    ...[...response.headers].map(([fieldName, value]) => `${fieldName}: ${value}`),
  ];
  if (response.webSocket) return [...lines, "a WebSocket"];
  if (response.body === null) return [...lines, "no body"];
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let end = "end of body";
  try {
    for await (const part of response.body) parts.push(part);
  } catch (error) {
    end = tellError(error as Error);
  }
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const text = Array.from(bytes.subarray(0, 2000), (byte) => String.fromCharCode(byte)).join("");
  return [
    ...lines,
    bytes.length <= 2000
      ? `body ${JSON.stringify(text)}`
      : `body ${bytes.length} bytes, ${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`,
    end,
  ];
}
