/**
 * HTTP behaviours that a VPC binding must not change: each is run straight to the server, through the
 * direct path and through the egress proxy. Where a path may differ, the row says how and why.
 */

import { BODY_CASES } from "./parity-bodies.ts";
import { BROKEN_CASES } from "./parity-broken.ts";
import type { ParityCase } from "./parity-case.ts";
import { CONNECTION_CASES } from "./parity-connections.ts";
import { FAULT_CASES } from "./parity-faults.ts";
import { REDIRECT_CASES } from "./parity-redirects.ts";
import { REQUEST_CASES } from "./parity-requests.ts";
import { RESPONSE_CASES } from "./parity-responses.ts";
import { WEBSOCKET_CASES } from "./parity-websockets.ts";

export const PARITY_CASES: Record<string, readonly ParityCase[]> = {
  requests: REQUEST_CASES,
  uploads: BODY_CASES,
  responses: RESPONSE_CASES,
  redirects: REDIRECT_CASES,
  connections: CONNECTION_CASES,
  faults: FAULT_CASES,
  "broken answers": BROKEN_CASES,
  WebSockets: WEBSOCKET_CASES,
};
