/** What this process sees around it: whether it is in a container, and which names resolve there. */

import { existsSync, readFileSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import path from "node:path";

export interface Whereabouts {
  isContainer(): boolean;
  /** Never rejects. @returns those that resolve */
  resolving(names: readonly string[]): Promise<ReadonlySet<string>>;
}

/** For all names together, in milliseconds. A session waits for it, and so does an edit. */
const TIME_LIMIT = 1000;

export interface SystemPlaces {
  /** Of the file system. Default: `/`. */
  root?: string;
  /** Each an address or `address:port`. Default: those of the system. */
  nameServers?: readonly string[];
}

export function makeWhereabouts({ root = "/", nameServers }: SystemPlaces = {}): Whereabouts {
  return {
    isContainer: () => isContainer(root),
    resolving: (names) => findResolving(names, { root, nameServers }),
  };
}

/** Docker and Podman leave a file. Others show in the cgroup: the id of the container, or the word of Kubernetes or LXC. */
function isContainer(root: string): boolean {
  return (
    existsSync(path.join(root, ".dockerenv")) ||
    existsSync(path.join(root, "run/.containerenv")) ||
    ["proc/self/cgroup", "proc/1/cgroup"].some((file) => OF_CONTAINER.test(textOf(path.join(root, file))))
  );
}

/** cgroups(7): each line ends with a path. `/system.slice/docker.service` is the cgroup of Docker itself. */
const OF_CONTAINER = /[/:-][0-9a-f]{64}(?:\.scope)?(?:\/|$)|\/kubepods[./]|\/lxc(?:\.payload\.|\/)/m;

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It does not exist on this system, or is not for this user.
    return "";
  }
}

/**
 * As the system does: the hosts file, then the name servers. Not by the system itself, whose lookups can't be cancelled and
 * would keep those of calls waiting.
 */
async function findResolving(
  names: readonly string[],
  { root, nameServers }: { root: string; nameServers: readonly string[] | undefined },
): Promise<ReadonlySet<string>> {
  const found = namesIn(textOf(path.join(root, "etc/hosts")));
  const resolver = new Resolver({ timeout: TIME_LIMIT, tries: 1 });
  if (nameServers !== undefined) resolver.setServers(nameServers);
  const timer = setTimeout(() => resolver.cancel(), TIME_LIMIT);
  const asked = names
    .filter((name) => !found.has(name))
    .map(async (name) => {
      const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      if (answers.some(({ status }) => status === "fulfilled")) found.add(name);
    });
  await Promise.all(asked);
  clearTimeout(timer);
  return new Set(names.filter((name) => found.has(name)));
}

/** hosts(5). */
function namesIn(hosts: string): Set<string> {
  return new Set(
    hosts.split("\n").flatMap((line) => {
      const [, ...names] = (line.split("#")[0] ?? "").trim().split(/\s+/);
      return names.map((name) => name.toLowerCase());
    }),
  );
}
