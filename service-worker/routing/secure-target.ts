/**
 * Which https targets workerd's own client may take, and the names of their bindings. Its services have a fixed host
 * name, check it always, and present no certificate. Pure.
 */

import { formatEndpoint, isLiteralHost, isProblem, parseHost } from "./address.ts";
import type { EgressTls } from "./egress-protocol.ts";
import type { ForwardTarget, TargetKey } from "./forward-target.ts";
import type { TlsPolicy } from "./table.ts";

/** What workerd's TLS takes for a name (RFC 1123 §2.1, with underscores). It prints a native stack for any other. */
const SERVER_NAME = /^(?!.*(?:^|\.)\d+$)(?:(?!-)[\w-]{1,63}(?<!-)(?:\.(?!$)|$))+$/;

/** @returns undefined if only the egress proxy can serve it */
export function secureTargetKey(to: ForwardTarget & { type: "address" }, tls: EgressTls): TargetKey | undefined {
  const { hostName, verify, client } = tls;
  if (verify !== "verify_full" || client !== undefined || !isLiteralHost(to.host)) return undefined;
  const host = parseHost(hostName);
  if (isProblem(host) || host.type === "ip" || !SERVER_NAME.test(hostName)) return undefined;
  return `https:${hostName}@${formatEndpoint(to.host, to.port)} ${trustKey(tls)}`;
}

/** The same for policies that trust the same roots. */
export function trustKey({ ca, authority, trust }: TlsPolicy): string {
  return JSON.stringify([ca, authority ?? null, trust ?? null]);
}
