/**
 * Lanes: Unix sockets on which this process passes raw bytes to targets that were not known when the runtime started, and
 * to https targets that don't graduate. workerd's own pooled client speaks HTTP with the target, so a message is parsed once and not three times. A session's
 * runtime has a fixed number of them. Each is assigned to a target at run time, once, and to no other afterwards: nothing
 * that workerd keeps for a lane can reach another target.
 *
 *   workerd ──GET──▶ lane (Unix socket) ──raw bytes──▶ dial.ts | tls.ts ──▶ target
 *
 * Only requests that may be repeated come here, one after another, without a body or an upgrade (service-worker/fetch/lanes.ts).
 */

import { randomBytes } from "node:crypto";
import net from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";

import {
  type EgressLane,
  type EgressOrder,
  type LaneName,
  LANE_TOKEN_HEADER,
} from "../../service-worker/routing/egress-protocol.ts";
import { formatPlace, listenPrivately } from "../system/listen.ts";
import { addressOf } from "./connections/connection-count.ts";
import { type DialTarget, dial } from "./connections/dial.ts";
import { sendRawFailure } from "./egress-error.ts";
import { readInto } from "./read-into.ts";
import { describeNoResponse } from "./http/response-failure.ts";
import { splice } from "./splice.ts";
import { presentedBy } from "./tls/tls-failure.ts";
import { type TlsTerms, dialTls, termsFor } from "./tls/tls.ts";

/** How many targets of a session can have one. Each costs 35 µs when the runtime starts (docs/performance.md, "The egress proxy"). */
const LANES = 32;

/** Milliseconds. When an instance is reloaded, its runtime goes on for a while, and would print a stack if nothing listened. */
const LINGER = 10_000;

/** The addresses of targets whose answers end with their connection. A reset of a Unix socket would look like such an end. */
const unframed = new Set<string>();

export function noteUnframed(target: DialTarget): void {
  unframed.add(addressOf(target));
}

export interface Lanes {
  /** For workerd's `external.address`. Nothing listens there before a lane is assigned. Empty on Windows. */
  addresses: ReadonlyMap<LaneName, string>;
  /** Assigns no more, and soon takes no more connections. Those that are open go on. */
  close(): void;
}

export interface LaneRegistry {
  /** Makes the lanes of a session. */
  open: (feedId: string) => Lanes;
  /** @returns null if there is no lane for the target: it has to go through the proxy */
  assign: (order: LaneOrder) => Promise<EgressLane | null>;
}

type LaneOrder = EgressOrder & { op: "lane" };

interface SessionLanes {
  free: LaneName[];
  paths: ReadonlyMap<LaneName, string>;
  /** By what decides about a connection. */
  assigned: Map<string, Promise<EgressLane | null>>;
  servers: net.Server[];
}

export function createLanes(privateDirectory: string): LaneRegistry {
  const sessions = new Map<string, SessionLanes>();
  return {
    open(feedId) {
      const paths = makePaths(privateDirectory);
      const session: SessionLanes = { free: [...paths.keys()], paths, assigned: new Map(), servers: [] };
      sessions.set(feedId, session);
      return {
        addresses: new Map([...paths].map(([laneName, socketPath]) => [laneName, formatPlace({ socketPath })])),
        close() {
          sessions.delete(feedId);
          setTimeout(() => {
            for (const server of session.servers) server.close();
          }, LINGER).unref();
        },
      };
    },
    async assign(order) {
      const session = sessions.get(order.feedId);
      const { target, limits, tls } = order;
      if (session === undefined || unframed.has(addressOf(target))) return null;
      const key = JSON.stringify([target, limits.connectTimeout, limits.dnsTimeout, tls]);
      const known = session.assigned.get(key);
      if (known !== undefined) return known;
      const laneName = session.free.pop();
      if (laneName === undefined) return null;
      const assigning = openLane(laneName, session, order);
      session.assigned.set(key, assigning);
      const lane = await assigning;
      if (lane === null) {
        // The next request for it tries again.
        session.assigned.delete(key);
        session.free.push(laneName);
      }
      return lane;
    },
  };
}

/** A lane can't ask for a secret, so only the directory protects it. A port of loopback would be open to every user. */
function makePaths(privateDirectory: string): Map<LaneName, string> {
  if (process.platform === "win32") return new Map();
  const prefix = randomBytes(9).toString("base64url");
  return new Map(
    Array.from({ length: LANES }, (_, index) => [`lane:${index}`, path.join(privateDirectory, `${prefix}-${index}`)]),
  );
}

/** Never rejects. */
async function openLane(
  laneName: LaneName,
  { paths, servers }: SessionLanes,
  order: LaneOrder,
): Promise<EgressLane | null> {
  const token = randomBytes(18).toString("base64url");
  const server = net.createServer({ allowHalfOpen: true }, (inbound) => receive(inbound, { ...order, token }));
  try {
    await listenPrivately(server, paths.get(laneName) ?? "");
    servers.push(server);
    return { laneName, token };
  } catch {
    // Such as too many open files. The proxy serves the target.
    server.close();
    return null;
  }
}

type Assignment = Pick<LaneOrder, "target" | "limits" | "tls"> & Pick<EgressLane, "token">;

function receive(inbound: net.Socket, assignment: Assignment): void {
  const { target, limits, tls, token } = assignment;
  inbound.unref();
  const early: Buffer[] = [];
  const keep = (chunk: Buffer): void => void early.push(chunk);
  const abort = new AbortController();
  const giveUp = (): void => {
    abort.abort();
    inbound.destroy();
  };
  inbound.on("data", keep).once("end", giveUp).on("error", giveUp);
  let terms: TlsTerms | undefined;
  const fail = (error: unknown): void => {
    inbound.off("end", giveUp);
    const presented = terms && presentedBy(terms.trust.client, terms.tls);
    const failure = describeNoResponse(error, { received: 0, isUpgrade: false, ...presented });
    // Nobody has asked for this connection yet, and who does so later must not get an old answer.
    if (early.length === 0 || inbound.destroyed) inbound.destroy();
    else sendRawFailure(inbound, failure, { [LANE_TOKEN_HEADER]: token });
  };
  const join = (upstream: Duplex): void => {
    inbound.off("data", keep).off("end", giveUp);
    if (inbound.destroyed) return void upstream.destroy();
    inbound.pause();
    if (early.length > 0) inbound.unshift(Buffer.concat(early));
    if (terms !== undefined) watchTrust(inbound, upstream, { ...assignment, key: terms.key });
    // workerd closes both halves at once.
    inbound.once("end", () => upstream.destroy());
    splice(inbound, upstream);
  };
  try {
    terms = tls && termsFor(target, tls);
  } catch (error) {
    return fail(error);
  }
  if (terms === undefined) {
    const onread = readInto(inbound, () => upstream.resume());
    const upstream = dial(target, { limits, allowHalfOpen: true, onread });
    abort.signal.addEventListener("abort", () => upstream.destroy());
    upstream.once("error", fail);
    upstream.once("connect", () => {
      upstream.off("error", fail);
      join(upstream);
    });
  } else {
    dialTls(target, { terms, limits, signal: abort.signal }).then(join, fail);
  }
}

/** A kept connection that an older `ca` or client certificate has opened takes no more requests: workerd opens a new one. */
function watchTrust(
  inbound: net.Socket,
  upstream: Duplex,
  { target, tls, key }: Assignment & Pick<TlsTerms, "key">,
): void {
  // Before `splice` passes the request on.
  inbound.on("data", () => {
    if (tls === undefined || isInForce(key, () => termsFor(target, tls))) return;
    inbound.destroy();
    upstream.destroy();
  });
}

function isInForce(key: string, readTerms: () => TlsTerms): boolean {
  try {
    return readTerms().key === key;
  } catch {
    return false;
  }
}
