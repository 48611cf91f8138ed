/**
 * Whose calls a rule is for: those of a binding, or those for a destination, through any binding.
 */

import { type Host, isProblem, maskBytes, parseHost } from "../../service-worker/routing/address.ts";
import type { DecidingEntry } from "../../service-worker/routing/decide.ts";
import { type Binding, type Scheme, portOf } from "../../service-worker/routing/table.ts";
import { type DestinationPattern, isForRest, parseDestination } from "../parse/parse-destination.ts";

/** `bindingIds`: the only bindings whose calls are meant. */
export type Who = { bindingIds?: ReadonlySet<string> } & (
  | { type: "binding"; bindingName: string }
  | ({ type: "destination" } & DestinationPattern)
);

/** What a call is for, as `who` sees it. */
export interface AskedFor {
  bindingName: string;
  /** A `bindingKey` of the table. */
  bindingId: string;
  /** The destination. For a VPC Service, the hosts and the port of its record; a short form has none. */
  hosts: readonly Host[];
  port: number;
  /** Neither a route other than `*` nor the target of a service is for it, so `*` means it. */
  isRest: boolean;
}

/**
 * @param text the name of a binding of the session, or a destination as `routes` write it
 * @throws {TypeError} that says what is wrong and what to write
 */
export function parseWho(text: unknown, bindings: Iterable<Binding>): Who {
  if (typeof text !== "string" || text === "") {
    throw new TypeError(
      `vpc.on(): who is ${JSON.stringify(text)}; pass a binding's name, or a destination like "db.internal:5432".`,
    );
  }
  const names = new Set([...bindings].map(({ bindingName }) => bindingName));
  if (names.has(text)) return { type: "binding", bindingName: text };
  const destination = parseDestination(text);
  if ("problem" in destination) {
    throw new TypeError(
      `vpc.on(): ${JSON.stringify(text)} is not a binding of this session (${listNames(names)}), and as a destination it ${destination.problem}. ${destination.note}`,
    );
  }
  return { type: "destination", ...destination };
}

function listNames(names: ReadonlySet<string>): string {
  return names.size === 0 ? "it has none" : `its bindings: ${[...names].toSorted().join(", ")}`;
}

export function matchesWho(who: Who, asked: AskedFor): boolean {
  if (who.bindingIds?.has(asked.bindingId) === false) return false;
  if (who.type === "binding") return who.bindingName === asked.bindingName;
  const { match, ports } = who;
  if (ports !== undefined && (asked.port < ports.from || asked.port > ports.to)) return false;
  return asked.hosts.some((host) => {
    switch (match.type) {
      case "name":
        return host.type === "name" && host.text === match.name;
      case "wildcard":
        return (
          host.type === "name" &&
          host.text.slice(host.text.indexOf(".") + 1) === match.suffix &&
          host.text.includes(".")
        );
      case "cidr":
        return host.type === "ip" && isInPrefix(host, match);
      case "any":
        return asked.isRest;
      default:
        return match satisfies never;
    }
  });
}

function isInPrefix(host: Host & { type: "ip" }, { address, prefix }: { address: string; prefix: number }): boolean {
  const network = parseHost(address);
  if (isProblem(network) || network.type !== "ip" || network.version !== host.version) return false;
  const masked = maskBytes(host.bytes, prefix);
  return network.bytes.every((byte, index) => byte === masked[index]);
}

/** What the Worker asked for. `host`: in any spelling; `rule`: what decided, if anything did. */
type AskedCall = { scheme: Scheme | "tcp"; host: string; port: number; rule: DecidingEntry | undefined };

export function askedOf(binding: Binding, bindingId: string, { scheme, host, port, rule }: AskedCall): AskedFor {
  const { bindingName } = binding;
  const isRest = rule === undefined || (rule.kind === "route" && isForRest(rule.text));
  if (binding.kind === "service") {
    const { service } = binding;
    const hosts = service.hosts.map(parseHost).filter((each): each is Host => !isProblem(each));
    return { bindingName, bindingId, hosts, port: portOf(service, scheme) ?? port, isRest };
  }
  const parsed = parseHost(host);
  return { bindingName, bindingId, hosts: isProblem(parsed) ? [] : [parsed], port, isRest };
}
