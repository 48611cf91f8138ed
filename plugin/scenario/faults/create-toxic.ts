/**
 * Which fault works how. A fault that doesn't act on a stream has no toxic.
 */

import { createBandwidth } from "./bandwidth.ts";
import type { Fault } from "./fault.ts";
import { createLatency } from "./latency.ts";
import { createLimitData } from "./limit-data.ts";
import type { Random } from "./random.ts";
import { createResetPeer } from "./reset-peer.ts";
import { createSlicer } from "./slicer.ts";
import { createSlowClose } from "./slow-close.ts";
import { createTimeout } from "./timeout.ts";
import type { Toxic } from "./toxic.ts";

export function createToxic(fault: Fault, random: Random): Toxic | undefined {
  switch (fault.type) {
    case "latency":
      return createLatency(fault.attributes, random);
    case "bandwidth":
      return createBandwidth(fault.attributes);
    case "slow_close":
      return createSlowClose(fault.attributes);
    case "timeout":
      return createTimeout(fault.attributes);
    case "reset_peer":
      return createResetPeer(fault.attributes);
    case "slicer":
      return createSlicer(fault.attributes, random);
    case "limit_data":
      return createLimitData(fault.attributes);
    // `fault-pipe.ts` cuts the connection.
    case "down":
    // Of a request, not of a stream.
    case "http_status":
    case "failure":
    case "truncate":
      return undefined;
    default:
      return fault satisfies never;
  }
}
