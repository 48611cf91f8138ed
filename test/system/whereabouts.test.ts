/** What is a container, and which names resolve in it. The files are those of the systems that are named; none of them runs here. */

import { expect, test } from "vitest";

import { makeWhereabouts } from "../../plugin/system/whereabouts.ts";
import { type DnsAnswer, startDnsServer } from "../servers/dns-server.ts";
import { createFolder } from "../setup/vpc-folder.ts";

const ID = "3f29c6e8a1b04d7799f1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d";

test.each<[what: string, files: Record<string, string>, isContainer: boolean]>([
  ["Docker", { ".dockerenv": "" }, true],
  ["Podman", { "run/.containerenv": 'engine="podman-5.4"\n' }, true],
  ["Docker with cgroups 1", { "proc/self/cgroup": `12:pids:/docker/${ID}\n0::/\n` }, true],
  ["Docker by systemd", { "proc/1/cgroup": `0::/system.slice/docker-${ID}.scope\n` }, true],
  ["Podman without root", { "proc/self/cgroup": `0::/user.slice/libpod-${ID}.scope/container\n` }, true],
  ["Kubernetes", { "proc/self/cgroup": "1:cpu:/kubepods/burstable/pod1/x\n" }, true],
  ["Kubernetes by systemd", { "proc/1/cgroup": "0::/kubepods.slice/kubepods-pod1.slice\n" }, true],
  ["LXC", { "proc/1/cgroup": "0::/lxc.payload.dev/init.scope\n" }, true],
  ["a shell", { "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-2.scope\n" }, false],
  ["Docker's own process, which is on the host", { "proc/self/cgroup": "0::/system.slice/docker.service\n" }, false],
  ["a system without any of it", {}, false],
])("%s", async (_, files, isContainer) => {
  await using root = await createFolder(files);
  expect(makeWhereabouts({ root: root.folder }).isContainer()).toBe(isContainer);
});

test("names of the hosts file and of the name servers resolve, no others", async () => {
  const answers: Record<string, DnsAnswer> = {
    api: { A: ["172.18.0.4"] },
    six: { AAAA: ["fd00::4"] },
    broken: "SERVFAIL",
    empty: {},
  };
  await using server = await startDnsServer((name) => answers[name] ?? "NXDOMAIN");
  await using root = await createFolder({
    "etc/hosts": "127.0.0.1\tlocalhost\n# 10.0.0.1 no\n172.18.0.3 Db db.internal # cache\n\n::1 ip6-localhost",
  });
  const whereabouts = makeWhereabouts({ root: root.folder, nameServers: [server.address] });
  const known = ["localhost", "db", "db.internal", "api", "six", "ip6-localhost"];
  expect([...(await whereabouts.resolving(["no", "cache", ...known, "gone", "broken", "empty"]))]).toEqual(known);
  expect(server.questions).toContain("A gone");
  expect(server.questions).not.toContain("A db");
});

test("name servers that say nothing are not waited for", async () => {
  await using server = await startDnsServer((name) => (name === "db" ? { A: ["172.18.0.3"] } : "silent"));
  await using root = await createFolder();
  const whereabouts = makeWhereabouts({ root: root.folder, nameServers: [server.address] });
  expect([...(await whereabouts.resolving(["slow", "db", "slower"]))]).toEqual(["db"]);
});
