/** The hosts that lead to this machine besides loopback. */

import os from "node:os";

import { isProblem, parseHost } from "../../service-worker/routing/address.ts";
import type { OwnHosts } from "../../service-worker/routing/own-loop.ts";

/** Its addresses as they are now, and its name, which a container has in its hosts file. In normal form. */
export function findOwnHosts(): OwnHosts {
  const addresses = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
  const hosts = [os.hostname(), ...addresses.map(({ address }) => address)].map(parseHost);
  return Object.fromEntries(hosts.flatMap((host) => (isProblem(host) ? [] : [[host.text, true as const]])));
}
