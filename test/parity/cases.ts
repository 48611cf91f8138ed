/** HTTP behaviour that a VPC binding must not change. If a path may differ, the case says how and why. */

import { BODY_CASES } from "./bodies.ts";
import { BROKEN_CASES } from "./broken.ts";
import type { ParityCase } from "./case.ts";
import { CONNECTION_CASES } from "./connections.ts";
import { FAULT_CASES } from "./faults.ts";
import { REDIRECT_CASES } from "./redirects.ts";
import { REQUEST_CASES } from "./requests.ts";
import { RESPONSE_CASES } from "./responses.ts";
import { WEBSOCKET_CASES } from "./websockets.ts";

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
