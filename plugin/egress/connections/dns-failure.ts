/**
 * Explains why a target's name has no address: the name is wrong, or a name server failed.
 */

import type { EgressFailure } from "../../../service-worker/routing/egress-protocol.ts";

export interface FailedQuestion {
  /** Address or `address:port` of a name server. */
  server: string;
  /** c-ares's, as in `node:dns`. */
  code: string;
}

/** @param lookup `failed`: one entry for each server that was asked; `dnsTimeout`: milliseconds for all of them together */
export function describeLookup(
  host: string,
  lookup: { failed: readonly FailedQuestion[]; dnsTimeout: number },
): EgressFailure {
  const { failed, dnsTimeout } = lookup;
  // The last answer ended the search. An answer from any server says more than a timeout.
  const telling = failed.findLast(({ code }) => code !== "ETIMEOUT");
  if (telling === undefined) {
    const servers = failed.map(({ server }) => server).join(", ");
    return {
      code: "dns_timeout",
      detail: `no answer for ${host} within ${Math.round(dnsTimeout)} ms from the name server ${servers}`,
      hint: 'Check that it runs and can be reached from this machine; "dnsTimeout" sets the limit.',
    };
  }
  const { detail, hint } = explain(host, telling);
  const others = failed.filter((other) => other !== telling).map(({ server, code }) => `${server}: ${wordFor(code)}`);
  return { code: "dns_error", detail: others.length > 0 ? `${detail} (${others.join(", ")})` : detail, hint };
}

function explain(host: string, { server, code }: FailedQuestion): { detail: string; hint: string } {
  switch (code) {
    case "ENOTFOUND":
      return {
        detail: `the name server ${server} says that the name ${host} does not exist (NXDOMAIN)`,
        hint: "Correct the target's host name, or add it to that name server.",
      };
    case "ENODATA":
      return {
        detail: `the name server ${server} says that the name ${host} has no address, neither A nor AAAA`,
        hint: "Correct the target's host name, or add an A or AAAA record for it to that name server.",
      };
    case "ECONNREFUSED":
      return {
        detail: `no name server is listening at ${server}`,
        hint: "Start it, or correct its address in the vpc config.",
      };
    case "EREFUSED":
      return {
        detail: `the name server ${server} refuses to answer for ${host} (REFUSED)`,
        hint: "Allow this machine to query it, or name another one in the vpc config.",
      };
    default:
      return {
        detail: `the name server ${server} failed to answer for ${host} (${wordFor(code)})`,
        hint: "The name server is at fault, not the name: look at its log, or name another one in the vpc config.",
      };
  }
}

/** DNS's own word for the code (RFC 1035 §4.1.1), if it has one. */
function wordFor(code: string): string {
  if (code === "ETIMEOUT") return "no answer";
  return code === "ECONNREFUSED" ? "nothing is listening" : code.replace(/^E/, "");
}

/** @param code of a failed `getaddrinfo` */
export function describeSystemLookup(host: string, code: string): EgressFailure {
  if (code === "ENOTFOUND") {
    return {
      code: "dns_error",
      detail: `this machine's resolver says that the name ${host} does not exist`,
      hint: "Correct the target's host name, or add it to this machine's hosts file.",
    };
  }
  return {
    code: "dns_error",
    detail: `this machine's resolver failed to answer for ${host} (${code})`,
    hint: "Check this machine's network and name servers, or use an address as the target.",
  };
}
