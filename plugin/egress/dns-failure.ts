/**
 * Why a target's name leads to no address, in words: whether the name is at fault or a name server.
 */

import type { EgressFailure } from "../../service-worker/egress-protocol.ts";

export interface FailedQuestion {
  /** Address or `address:port` of a name server. */
  server: string;
  /** c-ares's, as in `node:dns`. */
  code: string;
}

/** @param lookup `failed`: one for each server that was asked; `dnsTimeout`: milliseconds they had together */
export function describeLookup(
  host: string,
  lookup: { failed: readonly FailedQuestion[]; dnsTimeout: number },
): EgressFailure {
  const { failed, dnsTimeout } = lookup;
  // The last one's answer ended the search; before a silence, what another has said tells more.
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
        detail: `the name ${host} does not exist (NXDOMAIN), says the name server ${server}`,
        hint: "Correct the target's host name, or add it to that name server.",
      };
    case "ENODATA":
      return {
        detail: `the name ${host} has no address, neither A nor AAAA, says the name server ${server}`,
        hint: "Correct the target's host name, or add an A or AAAA record for it to that name server.",
      };
    case "ECONNREFUSED":
      return {
        detail: `no name server listens at ${server}`,
        hint: "Start it, or correct its address in the vpc config.",
      };
    case "EREFUSED":
      return {
        detail: `the name server ${server} refuses to answer for ${host} (REFUSED)`,
        hint: "Have it answer this machine, or name another one in the vpc config.",
      };
    default:
      return {
        detail: `the name server ${server} failed to answer for ${host} (${wordFor(code)})`,
        hint: "The fault is the name server's, not the name's: look at its own log, or name another one in the vpc config.",
      };
  }
}

/** As in DNS itself (RFC 1035 §4.1.1), where it is one of those. */
function wordFor(code: string): string {
  if (code === "ETIMEOUT") return "no answer";
  return code === "ECONNREFUSED" ? "nobody listens" : code.replace(/^E/, "");
}

/** @param code of a failed `getaddrinfo` */
export function describeSystemLookup(host: string, code: string): EgressFailure {
  if (code === "ENOTFOUND") {
    return {
      code: "dns_error",
      detail: `the name ${host} does not exist, says this machine's resolver`,
      hint: "Correct the target's host name, or add it to this machine's hosts file.",
    };
  }
  return {
    code: "dns_error",
    detail: `this machine's resolver failed to answer for ${host} (${code})`,
    hint: "Check this machine's network and name servers, or use an address as the target.",
  };
}
