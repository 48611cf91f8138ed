/**
 * The kept connections to targets, plain and TLS. Those of one key are interchangeable.
 */

import http from "node:http";
import type { Duplex } from "node:stream";
import { callbackify } from "node:util";

import type { EgressLimits } from "../../service-worker/egress-protocol.ts";
import { type DialTarget, dial } from "./dial.ts";
import { type TlsTerms, dialTls } from "./tls.ts";

export interface PooledRequest extends http.RequestOptions {
  target: DialTarget;
  limits: EgressLimits;
  /** Absent: plain HTTP. */
  terms: TlsTerms | undefined;
}

/** The keep-alive of the private path, in milliseconds. Node gives idle sockets up earlier if the target says so. */
const KEEP_ALIVE = 30_000;

const dialTlsThen = callbackify(dialTls);

class Pool extends http.Agent {
  override getName(options?: http.ClientRequestArgs): string {
    const { target, terms } = options as PooledRequest;
    return terms?.key ?? JSON.stringify(target);
  }

  override createConnection(
    options: http.ClientRequestArgs,
    callback: (error: Error | null, socket: Duplex) => void,
  ): Duplex | undefined {
    const { target, limits, terms } = options as PooledRequest;
    if (terms === undefined) return dial(target, { limits });
    dialTlsThen(target, { terms, limits }, callback);
    return undefined;
  }
}

export const pool: http.Agent = new Pool({ keepAlive: true, timeout: KEEP_ALIVE });
