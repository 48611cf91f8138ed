/** A target of the table as it is written in a vpc config. */

import { formatEndpoint } from "../../service-worker/address.ts";
import type { Target } from "../../service-worker/table.ts";

export function formatTableTarget(target: Target): string {
  switch (target.type) {
    case "address": {
      const host = target.host.includes(":") ? `[${target.host}]` : target.host;
      const scheme = target.scheme === undefined ? "" : `${target.scheme}://`;
      return `${scheme}${target.port === undefined ? host : formatEndpoint(target.host, target.port)}`;
    }
    case "unix":
      return `unix:${target.path}`;
    case "worker":
      return `worker:${target.workerName}`;
    case "passthrough":
      return target.resolvers === undefined ? "passthrough" : `passthrough, asking ${target.resolvers.join(", ")}`;
    case "deny":
      return `deny ${target.code}`;
    case "function":
      return "function";
    default:
      return target satisfies never;
  }
}
