/** Differences of a vpc config on Windows. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { explain } from "../../service-worker/routing/explain.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { knownTargets } from "../../plugin/miniflare/known-targets.ts";
import { pretend } from "../setup/platform.ts";
import { type VpcFolder, createFolder, networkBinding } from "../setup/vpc-folder.ts";

let pretending: Disposable;
beforeEach(() => {
  pretending = pretend("win32");
});
afterEach(() => pretending[Symbol.dispose]());

/** @param target JSON */
async function loadTarget(vpc: VpcFolder, target: string): ReturnType<VpcFolder["load"]> {
  await vpc.write("vpc.jsonc", `{ "networks": { "NET": { "routes": { "a.internal": ${target} } } } }`);
  return await vpc.load([vpc.worker("app", [networkBinding("NET")])]);
}

describe("a unix: target", () => {
  test.each([
    [String.raw`"unix:\\\\.\\pipe\\app"`, String.raw`\\.\pipe\app`],
    [String.raw`"unix:\\\\?\\Pipe\\a\\b"`, String.raw`\\?\Pipe\a\b`],
    [`"unix://./pipe/app"`, String.raw`\\.\pipe\app`],
  ])("can be a named pipe: %s", async (target, path) => {
    await using vpc = await createFolder();
    const loaded = await loadTarget(vpc, target);
    expect(vpc.format(loaded)).toEqual([]);
    expect(loaded.table.networks[0]?.routes[0]?.target).toEqual({ type: "unix", path });
  });

  test.each(["unix:./app.sock", "unix:/run/app.sock", "unix://./pipe/", "unix:pipe/app"])(
    "can't be a socket: %s",
    async (target) => {
      await using vpc = await createFolder();
      expect(vpc.format(await loadTarget(vpc, JSON.stringify(target)))).toEqual([
        `vpc.jsonc:1:52: error: the target ${JSON.stringify(target)} is a Unix socket, but on Windows only named pipes can be reached [invalid-target]`,
        '    Let the service listen on a port and write "localhost:3000", or on a named pipe and write "unix://./pipe/NAME".',
      ]);
    },
  );
});

describe("the target localhost", () => {
  test.each([
    ['"localhost:3000"', "egress", "egress"],
    ['"http://localhost:3000"', "egress", "egress"],
    ['"127.0.0.1:3000"', "direct", "sockets"],
  ])("Node dials it, because Node finds a server on ::1 at once: %s", async (target, http, tcp) => {
    await using vpc = await createFolder();
    const { table } = await loadTarget(vpc, target);
    const options = { index: indexTable(table), bindingId: "app/NET", known: knownTargets(table) };
    const fetched = explain({ op: "fetch", url: new URL("http://a.internal/") }, options);
    expect(fetched.passage?.way).toBe(http);
    const connected = explain({ op: "connect", host: { type: "name", text: "a.internal" }, port: 5432 }, options);
    expect(connected.passage?.way).toBe(tcp);
  });
});
