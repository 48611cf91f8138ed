/** Asks the session for something, or to do something. */

import type { ProblemView } from "../traffic-view.ts";

/** `problem`: in words. */
export type SessionAnswer<Content> =
  | { content: Content; problem?: undefined }
  | { content?: undefined; problem: string };

/** @param body absent: there is none. Never rejects */
export async function askSession<Content>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
): Promise<SessionAnswer<Content>> {
  try {
    const response = await fetch(`api/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const content: unknown = response.status === 204 ? {} : await response.json();
    return response.ok ? { content: content as Content } : { problem: capitalize((content as ProblemView).error) };
  } catch (error) {
    return { problem: `The session can't be asked: ${String(error)}` };
  }
}

export function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
