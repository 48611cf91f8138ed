/**
 * What the service worker and the egress proxy in the Node process say to one another.
 * Constants, types and their text form; shared by both runtimes.
 *
 *   service worker ── HTTP over a unix socket (or loopback) ──▶ egress proxy ──▶ target
 *                     order in ORDER_HEADER, SECRET_HEADER injected by workerd
 */

import type { ProxyErrorCode } from "./proxy-error.ts";
import type { Limits, TlsPolicy } from "./table.ts";

/** Carries an `EgressOrder` as JSON. workerd writes it (`cfBlobHeader`), so a Worker can't forge it. */
export const ORDER_HEADER = "x-miniflare-vpc-order";
/** Carries the process's secret. workerd injects it, overriding whatever the request had. */
export const SECRET_HEADER = "x-miniflare-vpc-secret";
/** On a response: an `EgressFailure` as JSON, the body is empty. Never passed on from a target. */
export const FAILURE_HEADER = "x-miniflare-vpc-failure";

/** Where the bytes go: an address to dial, a unix socket, or a function of the vpc config. */
export type EgressTarget =
  /** `resolvers`: name servers to ask for `host` in place of this machine's. */
  | { type: "address"; host: string; port: number; resolvers?: string[] }
  | { type: "unix"; path: string }
  | { type: "function"; functionId: string };

/** Those that the egress proxy enforces. */
export type EgressLimits = Pick<
  Limits,
  "connectTimeout" | "dnsTimeout" | "readTimeout" | "writeTimeout" | "connectionLimit"
>;

export type EgressOrder =
  /**
   * Forward this very request; with `tls`, over TLS. `exchangeId`: under which to ask for the failure if the response breaks
   * off. `isFresh`: over a new connection, for a kept one has just failed.
   */
  | {
      op: "http";
      target: EgressTarget;
      limits: EgressLimits;
      tls?: EgressTls;
      exchangeId?: string;
      isFresh?: boolean;
    }
  /** As the order of an HTTP `CONNECT`: splice this connection to the target. */
  | { op: "tcp"; target: EgressTarget; limits: EgressLimits }
  /** Dial and hang up; the answer's body is an `EgressProbe` as JSON. */
  | { op: "probe"; target: EgressTarget; limits: EgressLimits }
  /** Why did the response of an exchange break off? The answer's body is an `EgressProbe` as JSON; asked once. */
  | { op: "failure"; exchangeId: string }
  /** Does this very session listen at a loopback port? The answer's body is an `EgressOwnership` as JSON. */
  | { op: "ownership"; port: number };

export interface EgressTls extends TlsPolicy {
  /** The URL's host in normal form: the server name unless it is an address, and what the certificate must be for. */
  hostName: string;
}

export interface EgressFailure {
  code: ProxyErrorCode;
  /** For the developer: the system's own words, e.g. `connect ECONNREFUSED 127.0.0.1:3001`. */
  detail: string;
  /** What to do about it, where the code's own hint does not fit; `detail` then is a whole reason. */
  hint?: string;
}

export interface EgressOwnership {
  isOwn: boolean;
}

/** `failure` is null when the target accepted the connection, or nothing is known to have failed. */
export interface EgressProbe {
  failure: EgressFailure | null;
}

/** JSON with every character beyond ASCII escaped, fit for a header. */
export function toHeader(value: EgressOrder | EgressFailure): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
