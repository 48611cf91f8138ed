/** Where the connections of Hyperdrive bindings come in: who can open that, and what it leads to. */

import { once } from "node:events";
import { globSync, readFileSync, readdirSync, statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { expect, test } from "vitest";
import { openDoors } from "../../plugin/hyperdrive/doors.ts";
import { egressProxy } from "../../plugin/egress/server.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import { testOn } from "../setup/only-on.ts";
import { pretend } from "../setup/platform.ts";
import { createFolder } from "../setup/vpc-folder.ts";
import { MINIFLARE_VPC, serve } from "../wrangler/run.ts";
import { HYPERDRIVE_ID, databaseProject, startDatabase, vpcConfig } from "./database-project.ts";

const NO_SOCKETS = "workerd can't use the Unix sockets of Windows";

async function open(port: number): Promise<Awaited<ReturnType<typeof openDoors>>> {
  await using folder = await createFolder({ "vpc.json": JSON.stringify(vpcConfig({ port })) });
  const binding = { bindingName: "DB", bindingType: "hyperdrive", id: HYPERDRIVE_ID } as const;
  const { table } = await folder.load([folder.worker("app", [binding])]);
  const egress = await egressProxy();
  return await openDoors([{ bindingId: "app/DB", scheme: "postgresql" }], {
    egress,
    feedId: "",
    index: () => indexTable(table),
    windows: new Map(),
    log: { info() {}, error() {} },
    privateDirectory: egress.privateDirectory,
  });
}

async function ask(socket: net.Socket): Promise<string> {
  socket.write("hello");
  const [bytes] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return bytes.toString();
}

testOn(
  "posix",
  NO_SOCKETS,
  "each binding has a socket that only this user can open; there is no port until Node asks",
  async () => {
    await using database = await startDatabase();
    const doors = await open(database.port);
    const address = doors.addresses.get("app/DB") ?? "";
    expect(address).toMatch(/^unix:\//);
    const socketPath = address.slice("unix:".length);
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(statSync(path.dirname(socketPath)).mode & 0o777).toBe(0o700);
    expect(await ask(net.connect(socketPath))).toBe("you said hello");
    const port = await doors.openForNode("app/DB");
    expect(await doors.openForNode("app/DB")).toBe(port);
    expect(await ask(net.connect(port, "127.0.0.1"))).toBe("you said hello");
    doors.close();
    await expect.poll(() => readdirSync(path.dirname(socketPath))).not.toContain(path.basename(socketPath));
  },
);

test("on Windows, a port of loopback leads to this database only", async () => {
  await using database = await startDatabase();
  await egressProxy();
  using _ = pretend("win32");
  const doors = await open(database.port);
  const [host = "", port] = (doors.addresses.get("app/DB") ?? "").split(":");
  expect(host).toBe("127.0.0.1");
  expect(await ask(net.connect(Number(port), host))).toBe("you said hello");
  doors.close();
});

test("the generated config of dev has no password", { timeout: 60_000 }, async () => {
  await using database = await startDatabase();
  using project = databaseProject(database);
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  await server.get("/");
  const [file = ""] = globSync(".wrangler-vpc-*", { cwd: project.folder });
  const text = readFileSync(path.join(project.folder, file), "utf8");
  expect(text).toContain(HYPERDRIVE_ID);
  expect(text).not.toMatch(/p@ss|p%40ss/);
});
