/**
 * What a rule answers with, and where that runs: an answer as data, a function of this process, one of another process,
 * or one of a vitest test, which runs in workerd.
 */

import type { Duplex } from "node:stream";

import type { PlainAnswer } from "./answer.ts";

/** What a function that answers HTTP is given. */
export interface RespondContext {
  request: Request;
  /** The named groups of the call's path. */
  params: Record<string, string>;
  /** The binding's name. */
  binding: string;
  /** As the Worker wrote it. */
  url: URL;
}

/** The origin's end of a connection. */
export interface ConnectContext {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array>;
  /** As the Worker wrote it: `host:port`. */
  address: string;
}

export type RuleFunction =
  | { type: "answer"; answer: PlainAnswer }
  | {
      type: "node";
      respond?: (context: RespondContext) => unknown;
      connect?: (socket: Duplex, address: string) => unknown;
    }
  /** Served by the egress proxy of another process. */
  | { type: "remote"; address: string; secret: string; functionId: string }
  /** Kept by the service worker's Durable Object. */
  | { type: "stub"; functionId: string };
