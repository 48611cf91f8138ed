/**
 * The protocol between the service worker and the egress proxy in the Node process: constants, types and
 * their text form. Both runtimes share it.
 *
 *   service worker ── HTTP over a unix socket (or loopback) ──▶ egress proxy ──▶ target
 *                     order in ORDER_HEADER, SECRET_HEADER injected by workerd
 */

import type { Destination, DecidingEntry } from "./decide.ts";
import type { ProxyErrorCode } from "./error-codes.ts";
import type { Fault } from "./fault.ts";
import type { PackedTable } from "./packed-table.ts";
import type { Limits, Scheme, TargetWorker, TlsPolicy } from "./table.ts";

/** Carries an `EgressOrder` as JSON. workerd writes it (`cfBlobHeader`), so a Worker can't forge it. */
export const ORDER_HEADER = "x-miniflare-vpc-order";
/** Carries the process's secret. workerd injects it and overrides any value in the request. */
export const SECRET_HEADER = "x-miniflare-vpc-secret";
/** On a response: an `EgressFailure` as JSON; the body is empty. Never passed on from a target. */
export const FAILURE_HEADER = "x-miniflare-vpc-failure";

/** On a response: an `EgressProceed` as JSON. Never passed on from a target. */
export const PROCEED_HEADER = "x-miniflare-vpc-proceed";

/** On a response of a lane: that it comes from the Node process, not from the target. */
export const LANE_TOKEN_HEADER = "x-miniflare-vpc-lane";

/** On a request of the binding that Node has: a `NodeConnection` as JSON. */
export const NODE_CONNECTION_HEADER = "x-miniflare-vpc-connect";

/** The exact answer to a CONNECT when the connection is open. */
export const ESTABLISHED = "HTTP/1.1 200 OK\r\n\r\n";
/** The exact answer to a CONNECT when the service worker must call the target. As long as `ESTABLISHED`. */
export const MUST_PROCEED = "HTTP/1.1 202 OK\r\n\r\n";

/** Where the bytes go: what can be connected to, or a stand-in, which answers HTTP only. */
export type EgressTarget =
  | EgressTcpTarget
  /** `scheme`: of the URL. */
  | { type: "stand-in"; standInId: string; scheme: Scheme };

/** An address to dial, a Unix socket, or a function of the vpc config. */
export type EgressTcpTarget =
  /** `resolvers`: name servers to ask for `host` in place of this machine's. */
  | { type: "address"; host: string; port: number; resolvers?: string[] }
  | { type: "unix"; path: string }
  | { type: "function"; functionId: string };

/** The limits that the egress proxy enforces. */
export type EgressLimits = Pick<
  Limits,
  "connectTimeout" | "dnsTimeout" | "readTimeout" | "writeTimeout" | "connectionLimit"
>;

/**
 * A call of an observed session: who asked for what, and what the table decided. A rule of the session's scenario may
 * decide otherwise.
 */
export interface ObservedCall {
  feedId: string;
  /** A `bindingKey` of the table. */
  bindingId: string;
  destination: Destination;
  /** The entry of the vpc config that decided. */
  rule?: DecidingEntry;
  /** Where the table leads; absent if it refuses the call. */
  to?: ObservedTarget;
  /** `to`, as the terminal shows it. */
  targetText?: string;
  /** Why the table refuses the call. */
  refusal?: EgressFailure;
  /** Of the decision. They also apply to the target of a rule. */
  limits: Limits;
  tls: TlsPolicy;
  /** Of the vpc config, for this call. */
  faults?: readonly Fault[];
  /** Of a `RepeatedCall`. */
  repeatId?: string;
  /** A connection to a database: nothing keeps what the client logs in with. */
  hidesLogin?: true;
}

export type ObservedTarget =
  | TargetWorker
  /** `tls`: HTTP over TLS. */
  | { type: "egress"; target: EgressTarget; tls?: EgressTls };

/** A `connect()` of Node: the service worker makes the connection, and brings its bytes to the socket with this id. */
export interface NodeConnection {
  /** Only this process knows it, so a request that code in Node passes on can't ask for a connection. */
  secret: string;
  socketId: string;
  /** Without brackets. */
  hostname: string;
  port: number;
}

export interface NodeSocketState {
  isGone: boolean;
}

/** How a `connect()` ended. */
export type ConnectOutcome = { type: "open" } | { type: "failed"; code: ProxyErrorCode };

/** What the service worker must call itself, because only workerd reaches it. */
export interface EgressProceed {
  to: TargetWorker | { type: "stub"; functionId: string; params: Record<string, string> };
  limits: Limits;
}

/** What a Worker, or a function of a test, answered. */
export interface ObservedAnswer {
  status: number;
  statusText: string;
  fields: [fieldName: string, value: string][];
}

export type ObservedOutcome =
  | { type: "threw"; text: string }
  | { type: "upgraded" }
  | { type: "failed"; failure: EgressFailure };

export type EgressOrder =
  /**
   * Decide and carry out an observed request. An answer with `PROCEED_HEADER` has the body that the service worker must
   * send to the Worker; `answer` takes what comes back.
   */
  | { op: "observed"; call: ObservedCall; exchangeId: string }
  /** The same for a connection, with an HTTP `CONNECT`. After `MUST_PROCEED`, `proceed` says how, and `attach` goes on. */
  | { op: "observed-tcp"; call: ObservedCall; exchangeId: string }
  /** The Worker's answer to an observed request, with its body; the answer to this order is what the caller gets. */
  | { op: "answer"; exchangeId: string; answer: ObservedAnswer }
  /**
   * Sent with an HTTP `CONNECT`, after an `outcome` that must pass through here: this is the caller's end (`near`, first) or
   * the Worker's end of a WebSocket.
   */
  | { op: "attach-socket"; exchangeId: string; end: "near" | "far" }
  /** There is no answer of the Worker that could pass through here; or the test's function of a connection threw. */
  | { op: "outcome"; exchangeId: string; outcome: ObservedOutcome }
  /** Open as long as the caller waits for a Worker's answer. If it breaks off before, the caller has given up. */
  | { op: "presence"; exchangeId: string }
  /** How does an observed connection go on? The answer's body is an `EgressProceed` as JSON. */
  | { op: "proceed"; exchangeId: string }
  /** Sent with an HTTP `CONNECT`: this is the Worker's end of an observed connection. */
  | { op: "attach"; exchangeId: string }
  /** This request is for a function of this process's test, which a rule of another process's session names. */
  | { op: "respond-by"; functionId: string; params: Record<string, string>; binding: string; url: string }
  /** Sent with an HTTP `CONNECT`: such a function plays the origin's end of this connection. */
  | { op: "connect-by"; functionId: string; address: string; exchangeId: string }
  /** Sent with an HTTP `CONNECT`: this is the other end of a socket that Node's `connect()` has returned. */
  | { op: "node-socket"; socketId: string }
  /**
   * Has Node closed that socket, both halves? The answer's body is a `NodeSocketState` as JSON; `isPatient`: it waits until
   * it is so.
   */
  | { op: "node-gone"; socketId: string; isPatient: boolean }
  /** The bytes for that socket are about to end. `isBroken`: by a failure of the connection. */
  | { op: "node-end"; socketId: string; isBroken: boolean }
  /** A command for the session's scenario; the body is JSON, and so is the answer's: a `CommandAnswer`. */
  | { op: "scenario"; feedId: string }
  /**
   * Forward this request; with `tls`, over TLS. `exchangeId`: the id for asking about the failure if the response breaks
   * off. `isFresh`: use a new connection, because a kept one has just failed.
   */
  | {
      op: "http";
      target: EgressTarget;
      limits: EgressLimits;
      tls?: EgressTls;
      exchangeId?: string;
      isFresh?: boolean;
    }
  /**
   * Sent with an HTTP `CONNECT`: splice this connection to the target. `exchangeId`: the id for asking whether the end of
   * its bytes was a failure.
   */
  | { op: "tcp"; target: EgressTcpTarget; limits: EgressLimits; exchangeId?: string }
  /** Which lane leads to this target? One is assigned to it now. The answer's body is an `EgressLane` as JSON, or null. */
  | ({ op: "lane"; feedId: string } & LaneGoal)
  /** Dial, with `tls` shake hands, and hang up; the answer's body is an `EgressProbe` as JSON. */
  | { op: "probe"; target: EgressTarget; limits: EgressLimits; tls?: EgressTls }
  /** Was the https target with this `TargetKey` verified by roots that the runtime has, too? The answer's body is an `EgressVerdict` as JSON. */
  | { op: "verdict"; feedId: string; key: string }
  /** Listen for one connection and reset it; the answer's body is an `EgressReset` as JSON. */
  | { op: "reset" }
  /** Why did the response or the connection of an exchange break off? The answer's body is an `EgressProbe` as JSON; ask only once. */
  | { op: "failure"; exchangeId: string }
  /** Where did an observed call go? The answer's body is an `EgressGoal` as JSON, or null if that is not known any more. */
  | { op: "goal"; feedId: string; exchangeId: string }
  /** Does this session itself listen at a loopback port? The answer's body is an `EgressOwnership` as JSON. */
  | { op: "ownership"; port: number }
  /**
   * Does this feed have a newer table than that generation? The answer's body is an `EgressTable` as JSON;
   * `isPatient`: the answer waits until there is one.
   */
  | { op: "table"; feedId: string; generation: number; isPatient: boolean };

/** What decides about the connections of a lane (plugin/egress/lanes.ts). */
export interface LaneGoal {
  target: Exclude<EgressTcpTarget, { type: "function" }>;
  limits: Pick<EgressLimits, "connectTimeout" | "dnsTimeout">;
  tls?: EgressTls;
}

/** The service worker's binding for a lane. */
export type LaneName = `lane:${number}`;

export interface EgressLane {
  laneName: LaneName;
  /** The value of `LANE_TOKEN_HEADER`, which no target knows. */
  token: string;
}

/** `error`: in words for the client. */
export type CommandAnswer = { result: unknown } | { error: string };

export interface EgressTls extends TlsPolicy {
  /** The URL's host in normal form. The certificate must be for it, and it is the server name unless it is an address. */
  hostName: string;
}

export interface EgressFailure {
  code: ProxyErrorCode;
  /** For the developer: the system's own text, e.g. `connect ECONNREFUSED 127.0.0.1:3001`. */
  detail: string;
  /** What to do about it, if the code's own hint doesn't fit. `detail` is then a complete reason. */
  hint?: string;
  /** The message of what a function threw in place of an answer. The caller gets that, not the code. */
  thrown?: string;
  /** A stand-in has no answer: the one that comes nearest, and what differs. */
  nearest?: string;
}

/** Where to connect to on loopback, and what to send there. */
export interface EgressReset {
  port: number;
  token: string;
}

/** The answer to an outcome `upgraded`. */
export interface EgressUpgraded {
  /** A fault acts on the messages. */
  mustPassThrough: boolean;
}

export interface EgressVerdict {
  isVerified: boolean;
}

export interface EgressOwnership {
  isOwn: boolean;
}

/** A request that the traffic page sends again: the service worker makes it, as if the Worker had. */
export interface RepeatedCall {
  /** Finds its entry in the journal. */
  repeatId: string;
  /** A `bindingKey` of the table. */
  bindingId: string;
  method: string;
  url: string;
  fields: [fieldName: string, value: string][];
  /** Base64. Absent: it has no body. */
  body?: string;
}

/** `over`: the feed is closed, because the instance was disposed of or reloaded. */
export interface EgressTable {
  table: PackedTable | "none" | "over" | { repeat: RepeatedCall };
}

/** `failure` is null if the target accepted the connection, or no failure is known. */
export interface EgressProbe {
  failure: EgressFailure | null;
}

/** For the terminal. */
export interface EgressGoal {
  /** Empty if the call was refused. */
  text: string;
  /** A test decided, not the vpc config. */
  isRuled: boolean;
}

/** JSON for a header: every character beyond ASCII is escaped. */
export function toHeader(value: EgressOrder | EgressFailure | EgressProceed | NodeConnection): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
