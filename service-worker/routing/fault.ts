/** How the network fails, in Toxiproxy's words: a fault as it is in force, with every default filled in. */

import type { ProxyErrorCode } from "./error-codes.ts";

/** The direction of the bytes: `upstream` from the Worker to the target, `downstream` back. */
export type Stream = "upstream" | "downstream";

/** `toxicity`: the share of requests or connections that the fault hits, 0 to 1. */
export type Fault = { name?: string; stream: Stream; toxicity: number } & (
  | /** Milliseconds. */ { type: "latency"; attributes: { latency: number; jitter: number } }
  | /** Kilobytes (1000 bytes) per second. */ { type: "bandwidth"; attributes: { rate: number } }
  | /** Milliseconds. */ { type: "slow_close"; attributes: { delay: number } }
  | /** Milliseconds; 0: until it is removed. */ { type: "timeout"; attributes: { timeout: number } }
  | /** Milliseconds. */ { type: "reset_peer"; attributes: { timeout: number } }
  | /** Bytes; the delay is in microseconds. */ {
      type: "slicer";
      attributes: { average_size: number; size_variation: number; delay: number };
    }
  | { type: "limit_data"; attributes: { bytes: number } }
  | /** Refuses new connections and cuts open ones. */ { type: "down"; attributes: Record<string, never> }
  | /** HTTP only, as are the next two. */ { type: "http_status"; attributes: { status: number } }
  | { type: "failure"; attributes: { code: ProxyErrorCode } }
  | { type: "truncate"; attributes: { bytes: number } }
);
