/** A request of a control client, and its answer. */

import type { ServerResponse } from "node:http";

import type { Scenario } from "../scenario/scenario.ts";
import type { TextSocket } from "./text-socket.ts";

export interface ControlRequest {
  scenario: Scenario;
  method: string;
  /** Without the token. Begins with `/`; its segments are still encoded. */
  path: string;
  query: URLSearchParams;
  outgoing: ServerResponse;
  /** @throws {ControlError} if the body is not JSON */
  readJson: () => Promise<unknown>;
  /** Answers with a socket. Absent: the client has not asked for one. */
  acceptSocket?: () => TextSocket;
}

/** `streamed`: the API writes the answer itself. */
export type ControlAnswer =
  | {
      status: number;
      json?: unknown;
      text?: string;
      bytes?: Buffer;
      contentType?: string;
      headers?: Record<string, string>;
    }
  | "streamed";

/** What the client gets as `{ "error": … }`. */
export class ControlError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Starts an answer that goes on until the client is gone. */
export function beginStream(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  outgoing.flushHeaders();
}
