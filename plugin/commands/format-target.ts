/** Formats the targets and routes of the table as in a vpc config. */

import { bracketHost, formatEndpoint } from "../../service-worker/routing/address.ts";
import type { Behind, Route, Target, TlsPolicy } from "../../service-worker/routing/table.ts";
import { formatFault } from "./fault-words.ts";

/** The roots that count, unless they are the usual ones. */
export function describeTrust({ ca = [], authority, trust }: Partial<TlsPolicy>): string[] {
  return [
    ...(authority === undefined ? [] : [`trusts ${authority} in place of the public roots`]),
    ...(trust === "production" && authority === undefined
      ? ["trusts only public CAs and the Cloudflare Origin CA"]
      : []),
    ...ca.map((file) => `also trusts ${file}`),
  ];
}

/** Formats where a route leads, and what it sets for itself. */
export function formatRoute({ target, settings = {} }: Route): string {
  const { verify, ca = [], limits = {}, faults = [] } = settings;
  return [
    formatTableTarget(target),
    ...(verify === undefined ? [] : [verify]),
    ...describeTrust({ ca }),
    ...Object.entries(limits).map(([limit, value]) => `${limit} ${value}${limit.endsWith("Timeout") ? " ms" : ""}`),
    ...faults.map(formatFault),
  ].join(", ");
}

export function formatTableTarget(target: Target): string {
  switch (target.type) {
    case "address": {
      const host = bracketHost(target.host);
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
    case "stand-in":
      return formatStandIn(target.text, target.behind);
    default:
      return target satisfies never;
  }
}

function formatStandIn(text: string, behind: Behind | undefined): string {
  if (behind === undefined) return text;
  const other = formatTableTarget(behind.target);
  return behind.isRecorded ? `${other}, recorded into ${text}` : `${text}, or ${other} if it has no answer`;
}
