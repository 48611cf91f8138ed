/** Tests in another process direct a running `miniflare-vpc dev`. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { text } from "node:stream/consumers";

import { connectVpc, latency } from "miniflare-vpc/test/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HttpOrigin, ok, startHttpOrigin } from "../servers/http-origin.ts";
import { echo, startTcpServer, type TestServer } from "../servers/tcp-server.ts";
import { SERVICE, TUNNEL } from "../setup/test-worker.ts";
import { MINIFLARE_VPC, run, type Server, serve } from "../wrangler/run.ts";
import { createProject, REPOSITORY, type TemporaryProject } from "../wrangler/temporary-project.ts";

const WORKER = `export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url);
    try {
      if (pathname === "/connect") {
        const socket = await env.NET.connect(search.slice(1));
        const writer = socket.writable.getWriter();
        await writer.write(new TextEncoder().encode("ping"));
        await writer.close();
        return new Response(await new Response(socket.readable).text());
      }
      return await env.USERS.fetch("http://users.internal" + pathname, request);
    } catch (error) {
      return new Response(error.message, { status: 500 });
    }
  },
};`;

const TOKEN = "a-token-for-this-test";
const stack = new AsyncDisposableStack();
let origin: HttpOrigin;
let database: TestServer;
let project: TemporaryProject;
let server: Server;

beforeAll(async () => {
  origin = stack.use(await startHttpOrigin(ok("from the origin")));
  database = stack.use(await startTcpServer(echo));
  project = stack.use(
    createProject({
      "wrangler.jsonc": {
        name: "api",
        main: "index.js",
        compatibility_date: "2026-01-01",
        vpc_services: [{ binding: "USERS", service_id: SERVICE }],
        vpc_networks: [{ binding: "NET", tunnel_id: TUNNEL }],
      },
      "index.js": WORKER,
      "vpc.jsonc": {
        services: { USERS: `127.0.0.1:${origin.port}` },
        networks: { NET: { routes: { "db.internal:5432": `127.0.0.1:${database.port}` } } },
      },
    }),
  );
  server = stack.use(
    await serve(MINIFLARE_VPC, ["dev", "--control", "0"], { project, env: { MINIFLARE_VPC_TOKEN: TOKEN } }),
  );
}, 120_000);
afterAll(() => stack.disposeAsync());

/** @param folder below the project's */
async function inFolder<Result>(folder: string, run: () => Promise<Result>): Promise<Result> {
  const before = process.cwd();
  process.chdir(path.join(project.folder, folder));
  try {
    return await run();
  } finally {
    process.chdir(before);
  }
}

test("connectVpc() finds the session of the folder, or of one above; functions run in the test's process", async () => {
  project.write("test/answer.txt", "from a file of the test");
  const seen: string[] = [];
  {
    await using vpc = await inFolder("test", () => connectVpc());
    await vpc.on("USERS", "GET /users/:id").respond(({ params, binding, url }) => {
      seen.push(`${binding} ${url.href}`);
      return { json: { id: params["id"] } };
    });
    await vpc.on("USERS", "GET /throws").respond(() => {
      throw new RangeError("thrown in the test");
    });
    await vpc.on("db.internal:5432").connect(async ({ readable, writable, address }) => {
      const got = await new Response(readable).text();
      await new Response(`${address} got ${got}`).body?.pipeTo(writable);
    });
    // Relative to the working directory of the test.
    await inFolder("test", () => vpc.on("USERS", "/file").respond([{ file: "answer.txt" }]));
    expect(await server.get("/file")).toBe("from a file of the test");
    expect(await server.get("/users/7")).toBe('{"id":"7"}');
    expect(seen).toEqual(["USERS http://users.internal/users/7"]);
    expect(await server.get("/throws")).toBe("500 thrown in the test");
    expect(await server.get("/connect?db.internal:5432")).toBe("db.internal:5432 got ping");
    await vpc.on("broken.internal:1").connect(() => Promise.reject(new RangeError("thrown in connect()")));
    expect(await server.get("/connect?broken.internal:1")).toMatch(/^500 /);
    await expect
      .poll(async () => (await vpc.connections("broken.internal:1")).map(({ code, reason }) => [code, reason]))
      .toEqual([["connection_terminated", "the function that plays the origin failed: thrown in connect()"]]);
    expect((await vpc.requests("USERS")).map(({ url, status }) => [url, status])).toEqual([
      ["http://users.internal/file", 200],
      ["http://users.internal/users/7", 200],
      ["http://users.internal/throws", undefined],
    ]);
    await expect(vpc.on("USERS").fail("nothing" as never)).rejects.toThrow(
      new TypeError('vpc: "nothing" is not an error code.').message,
    );
  }
  expect(await server.get("/users/7")).toBe("from the origin");
  expect(await server.get("/connect?db.internal:5432")).toBe("ping");
});

async function controlUrl(): Promise<string> {
  const [, url = ""] = await server.printed(/Control: (http:\/\/127\.0\.0\.1:\d+\/\S+)/);
  return url;
}

async function rules(): Promise<string[]> {
  const response = await fetch(`${await controlUrl()}/rules`);
  return ((await response.json()) as { text: string }[]).map((rule) => rule.text);
}

test("the rules of a client end with it", async () => {
  await using vpc = await inFolder(".", () => connectVpc());
  const other = await connectVpc({ url: await controlUrl() });
  await other.on("USERS").respond({ text: "from the other" });
  await vpc.on("db.internal:5432").fault(latency(1));
  expect(await server.get("/")).toBe("from the other");
  expect(await rules()).toHaveLength(2);
  await other[Symbol.asyncDispose]();
  expect(await server.get("/")).toBe("from the origin");
  expect(await rules()).toEqual(['"db.internal:5432", every call']);
});

test("the rules of a client that was killed end too, and so do its connections", async () => {
  const source = `
    import { connectVpc } from ${JSON.stringify(path.join(REPOSITORY, "dist/test/node.js"))};
    const vpc = await connectVpc();
    await vpc.on("USERS").respond(() => new Response("from a child process"));
    await vpc.on("hang.internal:1").connect(async ({ readable }) => {
      console.log(await new Response(readable).text());
      await new Promise(() => {});
    });
    console.log("ready");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
    expect(await server.get("/")).toBe("from a child process");
    const hanging = server.get("/connect?hang.internal:1");
    const [ping] = (await once(child.stdout, "data")) as [Buffer];
    expect(String(ping)).toBe("ping\n");
    child.kill("SIGKILL");
    expect(await hanging).toMatch(/^500 /);
  } finally {
    child.kill("SIGKILL");
  }
  await expect.poll(rules, { timeout: 10_000 }).toEqual([]);
  expect(await server.get("/")).toBe("from the origin");
});

test("a client that is killed in the middle of its commands leaves no rule", async () => {
  const source = `
    import { connectVpc } from ${JSON.stringify(path.join(REPOSITORY, "dist/test/node.js"))};
    const vpc = await connectVpc();
    for (let number = 0; ; number++) {
      const added = vpc.on("USERS").respond(() => new Response(String(number)));
      if (number === 3) console.log("ready");
      await (await added).remove();
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(child.stdout, "data");
  } finally {
    child.kill("SIGKILL");
  }
  await expect.poll(rules, { timeout: 30_000 }).toEqual([]);
  expect(await server.get("/")).toBe("from the origin");
  await using vpc = await inFolder(".", () => connectVpc());
  await vpc.on("USERS").respond({ text: "from the next client" });
  expect(await server.get("/")).toBe("from the next client");
});

test("a client that has nothing more to do lets its process end", async () => {
  const source = `
    import { connectVpc } from ${JSON.stringify(path.join(REPOSITORY, "dist/test/node.js"))};
    const vpc = await connectVpc();
    await vpc.on("USERS").respond(() => new Response());
    console.log((await vpc.requests("nowhere.internal")).length);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    cwd: project.folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  expect(await text(child.stdout)).toBe("0\n");
  await expect.poll(rules, { timeout: 10_000 }).toEqual([]);
});

test.each([
  [["--control", "70000"], {}, 2, '"--control" can\'t be "70000". Write a port from 0 to 65535, or none for 8474.'],
  [["--control=x"], {}, 2, '"--control" can\'t be "x". Write a port from 0 to 65535, or none for 8474.'],
  [
    ["--control"],
    { MINIFLARE_VPC_TOKEN: "short" },
    2,
    'MINIFLARE_VPC_TOKEN must have at least 16 characters, each a letter, a digit or one of "-._~". Without it, the token is random.',
  ],
])("dev %j with %j ends with %i", async (args, env, exit, message) => {
  await using running = run(MINIFLARE_VPC, ["dev", ...args], { project, env });
  expect(await running.ended()).toBe(exit);
  expect(running.output()).toBe(`miniflare-vpc dev: ${message}\n`);
});

test("dev --control with a port that is taken ends with 1", async () => {
  await using running = run(MINIFLARE_VPC, ["dev", "--control", String(origin.port)], { project });
  expect(await running.ended()).toBe(1);
  expect(running.output()).toBe(
    `miniflare-vpc: can't listen on port ${origin.port} for --control: another program uses it. Choose another one with --control PORT.\n`,
  );
});

test("without a session, connectVpc() says where there are some", async () => {
  using elsewhere = createProject({});
  const before = process.cwd();
  process.chdir(elsewhere.folder);
  try {
    await expect(connectVpc()).rejects.toThrow(
      `there is no session in ${elsewhere.folder}. Start it with "miniflare-vpc dev". Sessions run in `,
    );
  } finally {
    process.chdir(before);
  }
  await expect(connectVpc({ url: "http://127.0.0.1:8474" })).rejects.toThrow(
    'connectVpc(): the url "http://127.0.0.1:8474" is not one that "miniflare-vpc dev --control" prints',
  );
});
