/**
 * Reads how others reach a service of a compose project: its names and addresses in the compose networks, and the
 * ports it publishes on this machine.
 */

import { type Host, isProblem, parseHost } from "../../service-worker/routing/address.ts";
import { type ComposeMap, type Place, type ReportCompose, childOf, textOf, textsOf } from "./compose-node.ts";
import { MAX_PORT } from "../parse/port-ranges.ts";
import { type ComposePort, type PortRange, parseComposePort } from "./parse-ports.ts";

export interface ComposeService {
  serviceName: string;
  at: Place;
  /** Without duplicates. The service's name is first. */
  hosts: Host[];
  ports: ComposePort[];
  /** Whether it lists ports to publish, even if none of them is valid. */
  isPublishing: boolean;
  /** The ports of `expose`. */
  exposed: PortRange[];
  /** The service runs only if one of these is active. If there are none, it always runs. */
  profiles: string[];
  image: string;
  /**
   * `own`: networks of the project, the default. `host`: this machine's network, so every port it listens on is a port of
   * this machine. `unnamed`: another container's network, or none; the service's name leads nowhere.
   */
  network: "own" | "host" | "unnamed";
}

export function parseComposeService(serviceName: string, map: ComposeMap, report: ReportCompose): ComposeService {
  const ports = childOf(map, "ports");
  return {
    serviceName,
    at: map.key,
    hosts: hostsOf(serviceName, map, report),
    ports: portsOf(serviceName, map, report),
    isPublishing: ports !== undefined && !(ports.type === "list" && ports.items.length === 0),
    exposed: textsOf(childOf(map, "expose")).flatMap(({ text }) => exposedPort(text)),
    profiles: textsOf(childOf(map, "profiles")).map(({ text }) => text),
    image: textOf(map, "image")?.text ?? "",
    network: networkOf(textOf(map, "network_mode")?.text ?? ""),
  };
}

function networkOf(mode: string): ComposeService["network"] {
  if (mode === "host") return "host";
  return mode === "none" || /^(service|container):/.test(mode) ? "unnamed" : "own";
}

function exposedPort(text: string): PortRange[] {
  const [, from, to = from] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/tcp)?$/.exec(text) ?? [];
  const range = { from: Number(from), to: Number(to) };
  return range.from >= 1 && range.from <= range.to && range.to <= MAX_PORT ? [range] : [];
}

function hostsOf(serviceName: string, map: ComposeMap, report: ReportCompose): Host[] {
  const networks = childOf(map, "networks");
  const attachments = networks?.type === "map" ? [...networks.entries.values()] : [];
  const attached = attachments.flatMap((attachment) =>
    attachment.type === "map" && attachment.tag !== "reset" ? [attachment] : [],
  );
  const names = [
    { text: serviceName, at: map.key },
    ...attached.flatMap((attachment) => textsOf(childOf(attachment, "aliases"))),
    ...["container_name", "hostname"].flatMap((field) => textOf(map, field) ?? []),
  ];
  const addresses = attached.flatMap((attachment) =>
    ["ipv4_address", "ipv6_address"].flatMap((field) => textOf(attachment, field) ?? []),
  );
  const hosts = new Map<string, Host>();
  const add = ({ text, at }: { text: string; at: Place }, type: Host["type"]): void => {
    const host = parseHost(text);
    if (!isProblem(host) && host.type === type) {
      hosts.set(host.text, hosts.get(host.text) ?? host);
      return;
    }
    const problem = isProblem(host) ? host.problem : type === "name" ? "is an address" : "is a name";
    report({
      severity: "warning",
      code: "compose-host",
      text: `${JSON.stringify(text)}, ${type === "name" ? "a name" : "an address"} of the service ${JSON.stringify(serviceName)}, ${problem}, so it has no routes`,
      at,
    });
  };
  // Compose ignores an empty name, such as a variable that is not set.
  for (const name of names) if (name.text !== "") add(name, "name");
  for (const address of addresses) if (address.text !== "") add(address, "ip");
  return [...hosts.values()];
}

function portsOf(serviceName: string, map: ComposeMap, report: ReportCompose): ComposePort[] {
  const ports = childOf(map, "ports");
  if (ports === undefined) return [];
  if (ports.type !== "list") {
    report({
      code: "invalid-compose-port",
      text: `"ports" of the service ${JSON.stringify(serviceName)} must be a list`,
      at: ports.at,
      notes: ['Write ports: ["5432:5432"].'],
    });
    return [];
  }
  return ports.items.flatMap((item) => {
    const port = parseComposePort(item);
    if (!("problem" in port)) return [port];
    report({
      code: "invalid-compose-port",
      text: `a port of the service ${JSON.stringify(serviceName)} ${port.problem}`,
      at: item.at,
      notes: [port.note],
    });
    return [];
  });
}
