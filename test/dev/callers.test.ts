/** Each kind of entry of a Worker calls `env.B.fetch()` and `env.B.connect()`: a queue, a cron trigger, a workflow, a container. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { startTcpServer } from "../servers/tcp-server.ts";
import { MINIFLARE_VPC, serve, type Server } from "../wrangler/run.ts";
import { createProject } from "../wrangler/temporary-project.ts";

const WORKER = `import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";

async function visit(env, who) {
  const response = await env.USERS.fetch("http://users.internal/" + who);
  const socket = await env.NET.connect("log.internal:514");
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode(who + "\\n"));
  await writer.close();
  await new Response(socket.readable).text();
  const refused = await Promise.resolve(env.NET.connect("unknown.internal:1")).then(() => "open", (error) => error.message);
  return who + ": " + (await response.text()) + ", " + refused;
}

export class Flow extends WorkflowEntrypoint {
  async run(event, step) {
    return step.do("visit", () => visit(this.env, "workflow"));
  }
}

/** A container's class, as the documentation has it: what the container asks of a host, a handler of the Worker answers. */
export class Shop extends DurableObject {
  static outboundByHost = {
    "users.internal": (request, env) => env.USERS.fetch(request),
    "log.internal": async (_request, env) => new Response(await visit(env, "container")),
  };
  /** In place of the container, which needs Docker: sends a request as it would leave there. */
  async send(url) {
    const response = await this.ctx.exports.Outbound({ props: { containerId: this.ctx.id.toString() } }).fetch(url);
    return response.text();
  }
}

export class Outbound extends WorkerEntrypoint {
  fetch(request) {
    return Shop.outboundByHost[new URL(request.url).hostname](request, this.env, this.ctx.props);
  }
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/queue":
        await env.QUEUE.send("visit");
        return new Response("sent");
      case "/workflow":
        return new Response((await env.FLOW.create()).id);
      case "/container": {
        const shop = env.SHOP.get(env.SHOP.idFromName("one"));
        return new Response([await shop.send("http://users.internal/from-container"), await shop.send("http://log.internal/")].join());
      }
      default: {
        const status = await (await env.FLOW.get(pathname.slice(1))).status();
        return Response.json(status);
      }
    }
  },
  async queue(batch, env) {
    console.log("seen " + (await visit(env, "queue")));
    batch.ackAll();
  },
  async scheduled(event, env) {
    console.log("seen " + (await visit(env, "cron")));
  },
};`;

const REFUSED = "ProxyError: destination_not_found";

describe("miniflare-vpc dev", () => {
  const stack = new AsyncDisposableStack();
  const logged: string[] = [];
  let server: Server;

  beforeAll(async () => {
    const users = stack.use(await startHttpOrigin(ok("from the origin")));
    const log = stack.use(
      await startTcpServer((socket) => {
        socket.on("data", (chunk) => logged.push(chunk.toString().trim())).on("end", () => socket.end());
      }),
    );
    const project = stack.use(
      createProject({
        "wrangler.jsonc": {
          name: "callers",
          main: "index.js",
          compatibility_date: "2026-08-01",
          compatibility_flags: ["enable_ctx_exports"],
          vpc_services: [{ binding: "USERS", service_id: "e6a0817c-79c5-40ca-9776-a1c019defe70" }],
          vpc_networks: [{ binding: "NET", tunnel_id: "550e8400-e29b-41d4-a716-446655440000" }],
          queues: {
            producers: [{ binding: "QUEUE", queue: "visits" }],
            consumers: [{ queue: "visits", max_batch_timeout: 0 }],
          },
          triggers: { crons: ["* * * * *"] },
          workflows: [{ binding: "FLOW", name: "flow", class_name: "Flow" }],
          durable_objects: { bindings: [{ name: "SHOP", class_name: "Shop" }] },
          migrations: [{ tag: "v1", new_sqlite_classes: ["Shop"] }],
        },
        "index.js": WORKER,
        "vpc.json": {
          services: { USERS: `http://127.0.0.1:${users.port}` },
          networks: { NET: { routes: { "log.internal:514": `127.0.0.1:${log.port}` } } },
        },
      }),
    );
    server = stack.use(await serve(MINIFLARE_VPC, ["dev"], { project }));
  }, 120_000);
  afterAll(() => stack.disposeAsync());

  test("the consumer of a queue", { timeout: 60_000 }, async () => {
    expect(await server.get("/queue")).toBe("sent");
    await server.printed(new RegExp(`seen queue: from the origin, ${REFUSED}`));
    expect(logged).toContain("queue");
  });

  test("a cron trigger", { timeout: 60_000 }, async () => {
    await server.get("/cdn-cgi/handler/scheduled");
    await server.printed(new RegExp(`seen cron: from the origin, ${REFUSED}`));
    expect(logged).toContain("cron");
  });

  test("a workflow's step", { timeout: 60_000 }, async () => {
    const id = await server.get("/workflow");
    const output = `workflow: from the origin, ${REFUSED}`;
    await expect.poll(async () => JSON.parse(await server.get(`/${id}`))).toMatchObject({ status: "complete", output });
    expect(logged).toContain("workflow");
  });

  test("the handlers of a container's class", { timeout: 60_000 }, async () => {
    expect(await server.get("/container")).toBe(`from the origin,container: from the origin, ${REFUSED}`);
    expect(logged).toContain("container");
    await server.printed(/USERS {2}GET http:\/\/users\.internal\/from-container/);
  });
});
