/**
 * Parses an entry of a service's "ports": the short syntax, `[[IP:]HOST:]CONTAINER[/PROTOCOL]`, and the long syntax.
 */

import { bracketHost, isProblem, parseHost, parsePort } from "../../service-worker/routing/address.ts";
import { type ComposeMap, type ComposeNode, type Place, childOf, quoteNode, textOf } from "./compose-node.ts";

/** Both ends are included. */
export interface PortRange {
  from: number;
  to: number;
}

export interface ComposePort {
  at: Place;
  /** As written. For the long syntax, the equivalent short syntax. */
  text: string;
  protocol: string;
  /** In the container. */
  target: PortRange;
  /**
   * On this machine: as many ports as in the container, or several for Docker to choose one from. Absent: Docker
   * chooses any free port.
   */
  published?: PortRange;
  /** In normal form. */
  hostAddress?: string;
}

export interface PortProblem {
  /** What is wrong: the end of a sentence. */
  problem: string;
  note: string;
}

const FORMS = 'Write "5432:5432", "127.0.0.1:5432:5432" or "8000-8009:8000-8009".';
const PROTOCOLS = ["tcp", "udp", "sctp"];

export function parseComposePort(node: ComposeNode): ComposePort | PortProblem {
  if (node.type === "map") return parseLong(node);
  if (node.type === "list" || typeof node.value === "boolean" || node.value === null) {
    return { problem: `is ${quoteNode(node)}`, note: FORMS };
  }
  return parseShort(String(node.value), node.at);
}

function parseShort(text: string, at: Place): ComposePort | PortProblem {
  const [ports = "", protocol = "tcp", ...more] = text.split("/");
  // An IPv6 address may have no brackets, so the last two parts are the ports.
  const parts = ports.split(":");
  const target = parts.at(-1) ?? "";
  const published = parts.at(-2) ?? "";
  const address = parts.slice(0, -2).join(":");
  if (more.length > 0) return { problem: `is ${JSON.stringify(text)}`, note: FORMS };
  return check({ text, at, target, published, address, protocol });
}

function parseLong(map: ComposeMap): ComposePort | PortProblem {
  const field = (name: string): string => textOf(map, name)?.text ?? "";
  const target = field("target");
  if (childOf(map, "target") === undefined) {
    return {
      problem: 'has no "target"',
      note: "The target is the port in the container: { target: 5432, published: 5432 }.",
    };
  }
  const published = field("published");
  const address = field("host_ip");
  const protocol = field("protocol") || "tcp";
  const host = bracketHost(address);
  const text = `${[host, published, target].filter((part) => part !== "").join(":")}${protocol === "tcp" ? "" : `/${protocol}`}`;
  return check({ text, at: map.at, target, published, address, protocol });
}

interface Written {
  text: string;
  at: Place;
  target: string;
  published: string;
  address: string;
  protocol: string;
}

function check({ text, at, target, published, address, protocol }: Written): ComposePort | PortProblem {
  const quoted = JSON.stringify(text);
  if (!PROTOCOLS.includes(protocol.toLowerCase())) {
    return {
      problem: `is ${quoted}: it has the unknown protocol ${JSON.stringify(protocol)}`,
      note: `Use one of ${PROTOCOLS.join(", ")}.`,
    };
  }
  const inside = parseRange(target);
  if ("problem" in inside) return { problem: `is ${quoted}: it ${inside.problem}`, note: FORMS };
  const port: ComposePort = { at, text, protocol: protocol.toLowerCase(), target: inside };
  if (address !== "") {
    const host = parseHost(address);
    if (isProblem(host) || host.type !== "ip") {
      return { problem: `is ${quoted}, but ${JSON.stringify(address)} is not an IP address`, note: FORMS };
    }
    port.hostAddress = host.text;
  }
  // Docker chooses a port for 0 too.
  if (published === "" || published === "0") return port;
  const outside = parseRange(published);
  if ("problem" in outside) return { problem: `is ${quoted}: it ${outside.problem}`, note: FORMS };
  const isChoice = inside.from === inside.to;
  if (!isChoice && sizeOf(inside) !== sizeOf(outside)) {
    return {
      problem: `is ${quoted}: it has ${sizeOf(inside)} ports in the container but ${sizeOf(outside)} on this machine`,
      note: "Both ranges must have the same length.",
    };
  }
  return { ...port, published: outside };
}

function parseRange(text: string): PortRange | { problem: string } {
  const [fromText = "", toText = fromText, ...more] = text.split("-");
  const from = parsePort(fromText.trim());
  const to = parsePort(toText.trim());
  if (typeof from === "object") return from;
  if (typeof to === "object") return to;
  if (more.length > 0 || from > to) return { problem: `has the invalid port range ${JSON.stringify(text)}` };
  return { from, to };
}

export function sizeOf({ from, to }: PortRange): number {
  return to - from + 1;
}
