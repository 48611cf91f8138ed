/**
 * The "resolver_ips" of a network: addresses of name servers, each with a port or without.
 */

import { isIP } from "node:net";

import { type Problem, formatEndpoint, isProblem, parseHost, parsePort } from "../../service-worker/address.ts";
import { type Parsing, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { splitPort } from "./split-address.ts";

const FORMS = 'A resolver is "10.0.0.53", "10.0.0.53:5353" or "[fd00::53]:53".';

/**
 * @param value as written: what is no text in it was reported, and hides no other mistake
 * @returns in the form that `setServers` of `node:dns` takes; the bad ones, which are reported, left out
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
  // Of an address, `parseHost` takes every spelling; here `53` is a port that lost its address.
  if (isProblem(host) || isIP(hostText.replaceAll(/[[\]]/g, "")) === 0) return { problem: "is not an IP address" };
  if (portText === undefined) return host.text;
  const port = parsePort(portText);
  return typeof port === "number" ? formatEndpoint(host.text, port) : port;
}
