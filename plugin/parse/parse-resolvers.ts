/**
 * Parses the "resolver_ips" of a network: addresses of name servers, each with an optional port.
 */

import { isIP } from "node:net";

import { type Problem, formatEndpoint, isProblem, parseHost, parsePort } from "../../service-worker/routing/address.ts";
import { type Parsing, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { splitPort } from "./split-address.ts";

const FORMS = 'A resolver is "10.0.0.53", "10.0.0.53:5353" or "[fd00::53]:53".';

/**
 * @param value the array as written. Items that aren't strings are reported elsewhere and skipped here.
 * @returns the valid ones, in the form that `setServers` of `node:dns` takes; the others are reported
 */
export function parseResolvers({ value, at }: { value: unknown; at: Path }, { report }: Parsing): string[] {
  const texts: unknown[] = Array.isArray(value) ? value : [];
  return texts.flatMap((text, index) => {
    if (typeof text !== "string") return [];
    const resolver = parseResolver(text);
    if (typeof resolver === "string") return [resolver];
    report({
      code: "invalid-resolver",
      text: `the resolver ${quote(text)} ${resolver.problem}`,
      at: [...at, index],
      notes: [FORMS],
    });
    return [];
  });
}

function parseResolver(text: string): string | Problem {
  const { hostText, portText } = splitPort(text);
  const host = parseHost(hostText);
  // `parseHost` takes every spelling of an address, but a resolver `53` is a port without its address.
  if (isProblem(host) || isIP(hostText.replaceAll(/[[\]]/g, "")) === 0) return { problem: "is not an IP address" };
  if (portText === undefined) return host.text;
  const port = parsePort(portText);
  return typeof port === "number" ? formatEndpoint(host.text, port) : port;
}
