/**
 * A request and its answer that the egress proxy forwards, and who hears how it goes on. Types only.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import type { EgressLimits, EgressTls } from "../../../service-worker/routing/egress-protocol.ts";
import type { DialTarget, DialWatch } from "../connections/dial.ts";
import type { Field } from "./headers.ts";
import type { TlsTerms } from "../tls/tls.ts";

/** Hears how an exchange with a target goes on. */
export interface ExchangeWatch extends DialWatch {
  /** The request has its connection. */
  taken: (socket: Duplex, options: { isReused: boolean; target: DialTarget }) => void;
  /** The target has the whole request. */
  sent: () => void;
  answered: (response: IncomingMessage) => void;
  /** The target has accepted an upgrade, and the connections are joined. */
  upgraded: (worker: Duplex, target: Duplex, response: IncomingMessage) => void;
}

export interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  target: DialTarget;
  /** Absent: plain HTTP. */
  tls?: EgressTls;
  limits: EgressLimits;
  /** Use a new connection instead of a kept one. */
  isFresh?: boolean;
  /** The connection of an upgrade request, which Node's HTTP server has handed over. */
  upgrade?: Duplex;
  /** Makes the connection, in place of the pool. */
  connect?: (terms: TlsTerms | undefined) => Duplex;
  /** The target is another egress proxy, or answers like one: what it takes as an order, and what it needs to be told. */
  proxy?: { fields: Field[] };
  watch?: ExchangeWatch | undefined;
}
