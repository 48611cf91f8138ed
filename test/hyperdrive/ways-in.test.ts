/** A Hyperdrive binding without a connection string of its own, under each host that starts here. */

import net from "node:net";
import { once } from "node:events";
import path from "node:path";
import { withVpc } from "miniflare-vpc";
import { createTestHarness, getPlatformProxy, unstable_startWorker } from "miniflare-vpc/wrangler";
import type { MiniflareOptions } from "miniflare";
import { expect, test } from "vitest";
import type { NodeHyperdrive } from "../../plugin/miniflare/hyperdrive-binding.ts";
import { STAND_IN_STRING } from "../../plugin/wrangler-config/own-string.ts";
import { manifest, startMiniflare } from "../capnp/start-miniflare.ts";
import { MINIFLARE_VPC, serve, WRANGLER } from "../wrangler/run.ts";
import { REPOSITORY } from "../wrangler/temporary-project.ts";
import {
  ANSWER,
  COMPATIBILITY_DATE,
  DATABASE_WORKER,
  HYPERDRIVE_ID,
  LOGIN,
  databaseProject,
  startDatabase,
  vpcConfig,
} from "./database-project.ts";

const VARIABLE = "CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_DB";

test("miniflare-vpc dev", { timeout: 120_000 }, async () => {
  await using database = await startDatabase();
  using project = databaseProject(database);
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project });
  expect(JSON.parse(await server.get("/"))).toEqual(ANSWER);
  await server.printed(new RegExp(`DB  hyperdrive → localhost:${database.port}  ↑ 5 B ↓ 14 B`));
  expect(server.output()).toMatch(new RegExp(`env\\.DB \\(${HYPERDRIVE_ID}\\) +Hyperdrive Config +local`));
  expect(server.output()).not.toContain("p@ss");
});

test("wrangler alone, with the stand-in string that the documentation names", { timeout: 120_000 }, async () => {
  await using database = await startDatabase();
  using project = databaseProject(database);
  project.install();
  const args = ["dev", "--local", "-c", "wrangler.jsonc", "-c", path.join(REPOSITORY, "local.json")];
  await using server = await serve(WRANGLER, args, { project, env: { [VARIABLE]: STAND_IN_STRING } });
  expect(JSON.parse(await server.get("/"))).toEqual(ANSWER);
});

test("a connection string of its own wins, and dev says so", { timeout: 120_000 }, async () => {
  await using database = await startDatabase();
  await using own = await startDatabase();
  using project = databaseProject(database);
  const string = `postgres://me:secret@127.0.0.1:${own.port}/mine`;
  await using server = await serve(MINIFLARE_VPC, ["dev"], { project, env: { [VARIABLE]: string } });
  expect(JSON.parse(await server.get("/")).known.database).toBe("mine");
  expect(own.accepted).toBe(1);
  expect(database.accepted).toBe(0);
  expect(server.output()).toContain(`has a connection string of its own, in the variable ${VARIABLE}`);
});

test("getPlatformProxy: a client library of Node connects", { timeout: 60_000 }, async () => {
  await using database = await startDatabase();
  using project = databaseProject(database);
  const configPath = path.join(project.folder, "wrangler.jsonc");
  const { env, dispose } = await getPlatformProxy<{ DB: NodeHyperdrive }>({ configPath, persist: false });
  const { host, port, user, password, connectionString } = env.DB;
  expect({ database: env.DB.database, user, password }).toEqual(LOGIN);
  expect(connectionString).toBe(`postgresql://app:p%40ss%2Fword@127.0.0.1:${port}/orders?sslmode=disable`);
  const socket = net.connect(port, host);
  socket.write("hello");
  expect(String(await once(socket, "data"))).toBe("you said hello");
  socket.destroy();
  await dispose();
});

test("createTestHarness", { timeout: 60_000 }, async () => {
  await using database = await startDatabase();
  using project = databaseProject(database);
  const harness = createTestHarness({ workers: [{ configPath: path.join(project.folder, "wrangler.jsonc") }] });
  await harness.listen();
  expect(await (await harness.fetch("/")).json()).toEqual(ANSWER);
  await harness.close();
});

test("unstable_startWorker", { timeout: 60_000 }, async () => {
  await using database = await startDatabase();
  using project = databaseProject(database);
  const worker = await unstable_startWorker({ config: path.join(project.folder, "wrangler.jsonc") });
  expect(await (await worker.fetch("http://worker/")).json()).toEqual(ANSWER);
  await worker.dispose();
});

test.each([{}, { dev: {} }])("new Miniflare(withVpc(…)), of a binding with %j", { timeout: 60_000 }, async (more) => {
  await using database = await startDatabase();
  const config = {
    name: "api",
    compatibilityDate: COMPATIBILITY_DATE,
    manifest: manifest(DATABASE_WORKER),
    env: { DB: { type: "hyperdrive", id: HYPERDRIVE_ID, ...more } },
  };
  const options = withVpc({ workers: [{ config }] }, { config: vpcConfig(database) }) as MiniflareOptions;
  await using miniflare = startMiniflare(options);
  expect(await (await miniflare.dispatchFetch("http://worker/")).json()).toEqual(ANSWER);
  const { DB } = await miniflare.getBindings<{ DB: NodeHyperdrive }>();
  expect(DB.password).toBe(LOGIN["password"]);
});
