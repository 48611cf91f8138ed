/** What happens to the connections of a Hyperdrive binding: lines, refusals, limits, edits, rules, faults, the journal. */

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { connectVpc, httpStatus, latency } from "miniflare-vpc/test/node";
import { expect, test } from "vitest";
import type { VpcConfig } from "../../plugin/config.ts";
import { closedPort, startTcpServer } from "../servers/tcp-server.ts";
import { type TestWorker, startTestWorker } from "../setup/test-worker.ts";
import { createFolder, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { HYPERDRIVE_ID, LOGIN, startDatabase, vpcConfig } from "./database-project.ts";

interface Env {
  DB: Hyperdrive;
}

interface Hyperdrive {
  host: string;
  port: number;
  connectionString: string;
  connect(): { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array>; close(): Promise<void> };
}

const ops = {
  /** Sends a text, and returns all that comes back until the first pause. */
  ask: async ({ DB }: Env, text: string) => {
    const socket = DB.connect();
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode(text)).catch(() => {});
    const { value } = await socket.readable.getReader().read();
    await socket.close();
    return new TextDecoder().decode(value);
  },
  /** Opens many connections, and holds each until all of them are answered. */
  many: async ({ DB }: Env, count: number) => {
    const sockets = Array.from({ length: count }, () => DB.connect());
    const answers = sockets.map(async ({ writable, readable }, index) => {
      await writable.getWriter().write(new TextEncoder().encode(`${index}`));
      const { value } = await readable.getReader().read();
      return new TextDecoder().decode(value);
    });
    const all = await Promise.all(answers);
    for (const socket of sockets) await socket.close();
    return all;
  },
  /** Holds a connection of which nothing is read. */
  login: ({ DB }: Env) => DB.connectionString,
};

function start(config: VpcConfig | string): Promise<TestWorker> {
  return startTestWorker<Env>({ config, env: { DB: { type: "hyperdrive", id: HYPERDRIVE_ID } }, ops });
}

const entry = { service: "orders-db", ...LOGIN };

test("a line names the binding, the record's host and the target", async () => {
  await using database = await startDatabase();
  const host = { hostname: "db.internal", resolver_network: { tunnel_id: TUNNEL_ID } };
  const record = { name: "orders", type: "tcp", host, tcp_port: 5432 } as const;
  await using worker = await start({
    services: { "orders-db": record },
    networks: { [TUNNEL_ID]: { routes: { "db.internal:5432": `localhost:${database.port}` } } },
    hyperdrive: { DB: entry },
  });
  expect(await worker.call("ask", "hello")).toBe("you said hello");
  await expect
    .poll(() => worker.output())
    .toMatch(new RegExp(`DB  hyperdrive db\\.internal:5432 → localhost:${database.port}  ↑ 5 B ↓ 14 B  \\d+ ms`));
});

test("a hundred connections at once", async () => {
  await using database = await startDatabase();
  await using worker = await start(vpcConfig(database));
  const answers = await worker.call<string[]>("many", 100);
  expect(answers).toEqual(Array.from({ length: 100 }, (_, index) => `you said ${index}`));
  await expect.poll(() => database.open.size).toBe(0);
});

test.each([
  ["postgresql", /^E\0\0\0.SFATAL\0VFATAL\0C08001\0MProxyError: connection_refused\0\0$/s],
  ["mysql", /ProxyError: connection_refused$/],
] as const)(
  "%s: without a database, the client gets the code as an error of its protocol",
  async (scheme, expected) => {
    const port = await closedPort();
    await using worker = await start({ ...vpcConfig({ port }), hyperdrive: { DB: { ...entry, scheme } } });
    expect(await worker.call("ask", "hello")).toMatch(expected);
    await expect
      .poll(() => worker.output())
      .toMatch(
        new RegExp(
          `DB  hyperdrive → localhost:${port}  ProxyError: connection_refused\\n  .*ECONNREFUSED.*service "orders-db"`,
        ),
      );
  },
);

test.each<[what: string, config: VpcConfig, code: string, reason: string]>([
  [
    "a denied route",
    { services: { "orders-db": { deny: "destination_ip_prohibited" } }, hyperdrive: { DB: entry } },
    "destination_ip_prohibited",
    "the vpc config denies it",
  ],
  ["no entry", {}, "destination_not_found", `Add "${HYPERDRIVE_ID}" to "hyperdrive"`],
])("%s is refused, and the terminal says why", async (_, config, code, reason) => {
  await using worker = await start(config);
  expect(await worker.call("ask", "hello")).toContain(`ProxyError: ${code}`);
  await expect.poll(() => worker.output()).toContain(reason);
});

test("a Worker plays no database, neither by a route nor by a rule, and both say so", async () => {
  const host = { hostname: "db.internal", resolver_network: { tunnel_id: TUNNEL_ID } };
  await using worker = await start({
    services: { "orders-db": { name: "orders", type: "tcp", host, tcp_port: 5432 } },
    networks: { [TUNNEL_ID]: { routes: { "*.internal": "worker:app" } } },
    hyperdrive: { DB: entry },
  });
  expect(await worker.call("ask", "hello")).toContain("ProxyError: destination_unavailable");
  await expect
    .poll(() => worker.output())
    .toContain("the target is a Worker, which a Hyperdrive binding can't reach on this machine");
  await using vpc = await connectVpc(worker.miniflare);
  await vpc.on("DB").to("worker:app");
  expect(await worker.call("ask", "hello")).toContain("ProxyError: destination_unavailable");
  await expect.poll(() => worker.output()).toContain("only a VPC binding reaches those");
});

test("the limits of the service: too many connections in a period, and at once", async () => {
  await using database = await startDatabase();
  const target = `localhost:${database.port}`;
  const services = { "orders-db": { target, rateLimit: { limit: 3 }, connectionLimit: 1 } };
  await using worker = await start(vpcConfig(database, { services }));
  const answers = await worker.call<string[]>("many", 2);
  expect(answers.filter((answer) => answer.includes("you said"))).toHaveLength(1);
  expect(answers.join()).toContain("ProxyError: connection_limit_reached");
  await expect.poll(() => database.open.size).toBe(0);
  expect(await worker.call("ask", "third")).toBe("you said third");
  expect(await worker.call("ask", "fourth")).toContain("ProxyError: rate_limited");
  await expect.poll(() => worker.output()).toContain('"rateLimit" allows 3 calls in 60 s');
});

test("a reset of the database is no clean end, and the next connection works", async () => {
  let isBroken = true;
  await using database = await startTcpServer((socket) =>
    socket.once("data", (bytes) => (isBroken ? socket.resetAndDestroy() : socket.write(bytes))),
  );
  await using worker = await start(vpcConfig(database));
  await worker.call("ask", "hello").catch(() => {});
  isBroken = false;
  expect(await worker.call("ask", "again")).toBe("again");
});

test("a test directs and sees the connections of the binding", async () => {
  await using database = await startDatabase();
  await using other = await startTcpServer((socket) => void socket.once("data", () => socket.write("from another")));
  await using worker = await start(vpcConfig(database));
  await using vpc = await connectVpc(worker.miniflare);
  expect(await worker.call("ask", "hello")).toBe("you said hello");
  await expect.poll(async () => (await vpc.connections("DB"))[0]?.duration).toBeDefined();
  const [seen] = await vpc.connections("DB");
  expect(seen).toMatchObject({ binding: "DB", target: `localhost:${database.port}`, sent: 5, received: 14 });
  const rule = await vpc.on("DB").fail("connection_timeout");
  expect(await worker.call("ask", "hello")).toContain("ProxyError: connection_timeout");
  await rule.remove();
  await vpc.on("DB").to(`localhost:${other.port}`);
  expect(await worker.call("ask", "hello")).toBe("from another");
  await vpc.reset();
  await vpc.on("DB").connect(({ writable }) => void writable.getWriter().write(new TextEncoder().encode("a test")));
  expect(await worker.call("ask", "hello")).toBe("a test");
  await vpc.reset();
  await vpc.on("DB").fault(latency(300));
  const begun = Date.now();
  expect(await worker.call("ask", "slow")).toBe("you said slow");
  expect(Date.now() - begun).toBeGreaterThan(250);
  await expect.poll(() => worker.output()).toContain("fault latency");
});

async function expectRefusal(rule: PromiseLike<unknown>, what: string): Promise<void> {
  await expect(rule).rejects.toThrow(TypeError);
  await expect(rule).rejects.toThrow(`vpc: ${what} acts on fetch() only, and "DB" takes only connect().`);
}

test("a rule or a fault for requests is refused in words, as for a tcp service", async () => {
  await using database = await startDatabase();
  await using worker = await start(vpcConfig(database));
  await using vpc = await connectVpc(worker.miniflare);
  await expectRefusal(vpc.on("DB").respond({ text: "x" }), "respond");
  await expectRefusal(
    vpc.on("DB").respond(() => new Response("x")),
    "respond",
  );
  await expectRefusal(vpc.on("DB", "GET /x").fail("dns_error"), 'a rule for "GET /x"');
  await expectRefusal(vpc.on("DB").fault(httpStatus(500)), 'the fault "http_status"');
  expect(await worker.call("ask", "hello")).toBe("you said hello");
});

test("the journal has no password that a client of PostgreSQL sends", async () => {
  await using database = await startDatabase();
  await using worker = await start(vpcConfig(database));
  await using vpc = await connectVpc(worker.miniflare);
  await vpc.connections();
  const message = `p\0\0\0\u000es3cret-1\0\0more`;
  expect(await worker.call("ask", message)).toContain("s3cret-1");
  const dataOf = async (): Promise<string> => {
    const [connection] = await vpc.connections("DB");
    return new TextDecoder().decode((await connection?.data())?.sent);
  };
  await expect.poll(dataOf).toBe("p\0\0\0\u000e**********more");
});

test("an edit leads the next connection elsewhere; another login needs a restart, and that is said", async () => {
  await using folder = await createFolder();
  await using database = await startDatabase();
  await using other = await startTcpServer((socket) => void socket.once("data", () => socket.write("from another")));
  const file = path.join(folder.folder, "vpc.json");
  await writeFile(file, JSON.stringify(vpcConfig(database)));
  await using worker = await start(file);
  expect(await worker.call("ask", "hello")).toBe("you said hello");
  await writeFile(file, JSON.stringify(vpcConfig(other)));
  await expect.poll(() => worker.call("ask", "hello")).toBe("from another");
  expect(worker.output()).not.toContain("another login");
  await writeFile(file, JSON.stringify(vpcConfig(other, { hyperdrive: { DB: { ...entry, user: "someone" } } })));
  await expect.poll(() => worker.output()).toContain("There is another login for DB now: restart to apply it.");
  expect(await worker.call("login")).toContain("//app:");
  await worker.reload();
  expect(await worker.call("login")).toContain("//someone:");
  expect(worker.output()).not.toContain("p@ss");
});
