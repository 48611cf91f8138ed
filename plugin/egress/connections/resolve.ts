/**
 * Asks the name servers that the config names for a host's addresses, instead of this machine's
 * resolver: no hosts file, no search domains, no cache.
 */

import { Resolver } from "node:dns/promises";
import type { LookupAddress } from "node:dns";
import type net from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { callbackify } from "node:util";

import type { EgressLimits } from "../../../service-worker/routing/egress-protocol.ts";
import { type FailedQuestion, describeLookup } from "./dns-failure.ts";
import { EgressError, codeOf } from "../egress-error.ts";

export interface NameServers {
  /** At least one, each an address or `address:port`. */
  resolvers: readonly string[];
  /** `dnsTimeout` is for all of them together. */
  limits: Pick<EgressLimits, "dnsTimeout">;
  /** Cancels the lookup. */
  signal: AbortSignal;
}

/** For `net.Socket.connect`. Fails with an `EgressError`, `dns_error` or `dns_timeout`, within `dnsTimeout`. */
export function lookupAt(servers: NameServers): net.LookupFunction {
  return (host, _, callback) => resolveThen(host, servers, (error, addresses) => callback(error, addresses ?? []));
}

/** Asks the servers in turn, each for its share of the time, until one answers. */
async function resolve(host: string, { resolvers, limits, signal }: NameServers): Promise<LookupAddress[]> {
  const { dnsTimeout } = limits;
  const deadline = performance.now() + dnsTimeout;
  const failed: FailedQuestion[] = [];
  for (const [index, server] of resolvers.entries()) {
    const timeout = (deadline - performance.now()) / (resolvers.length - index);
    const answer = await ask(host, { server, timeout, signal });
    if (typeof answer !== "string") return answer;
    failed.push({ server, code: answer });
    // These two codes are answers as well.
    if (answer === "ENOTFOUND" || answer === "ENODATA" || signal.aborted) break;
  }
  throw new EgressError(describeLookup(host, { failed, dnsTimeout }));
}

const resolveThen = callbackify(resolve);

/** RFC 8305 §3: how long the addresses of one family wait for those of the other, in milliseconds. */
const RESOLUTION_DELAY = 50;

/** @returns the addresses, or c-ares's code for why there are none; `ETIMEOUT` after `timeout` */
async function ask(
  host: string,
  { server, timeout, signal }: { server: string; timeout: number; signal: AbortSignal },
): Promise<LookupAddress[] | string> {
  // Sends a lost datagram again: the first try takes a third of the time, the second twice as long.
  const resolver = new Resolver({ timeout: Math.max(1, Math.floor(timeout / 3)), tries: 2 });
  const giveUp = (): void => resolver.cancel();
  const timer = setTimeout(giveUp, timeout).unref();
  signal.addEventListener("abort", giveUp);
  const addresses: LookupAddress[] = [];
  const codes: string[] = [];
  const collect = async (family: 4 | 6, found: Promise<string[]>): Promise<void> => {
    try {
      for (const address of await found) addresses.push({ address, family });
    } catch (error) {
      codes.push(codeOf(error));
    }
  };
  try {
    resolver.setServers([server]);
    const families = [collect(6, resolver.resolve6(host)), collect(4, resolver.resolve4(host))];
    await Promise.race(families);
    const other = Promise.all(families);
    if (addresses.length > 0) await Promise.race([other, delay(RESOLUTION_DELAY)]);
    // A name that does not exist has no address of either family.
    else if (!codes.includes("ENOTFOUND")) await other;
  } catch (error) {
    codes.push(codeOf(error));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", giveUp);
    resolver.cancel();
  }
  if (addresses.length > 0) return addresses.toSorted((one, next) => next.family - one.family);
  const [code = ""] = codes.toSorted((one, next) => rank(one) - rank(next));
  return code === "ECANCELLED" ? "ETIMEOUT" : code;
}

/** Sorts the codes of the two families: the one that says the most comes first. */
function rank(code: string): number {
  if (code === "ENOTFOUND") return 0;
  return code === "ENODATA" ? 2 : 1;
}
