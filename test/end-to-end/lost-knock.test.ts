/** `connect()` whose stream is passed to another Worker, or aborted, before it is open (service-worker/connect/knock.ts). */

import { describe, expect, it } from "vitest";
import { closedPort, startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL, startTestWorker, type TestEnv, type TestWorker } from "../setup/test-worker.ts";

interface Writer {
  write(writable: WritableStream, texts: string[]): Promise<void>;
}

interface Abort {
  address: string;
  /** Whether a write is under way. */
  isWriting: boolean;
}

/** The server greets, and answers with all that it has received, once it has all. */
async function start(
  traffic: boolean,
): Promise<{ worker: TestWorker; port: number; received: string[] } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const received: string[] = [];
  const server = stack.use(
    await startTcpServer((socket) => {
      const chunks: Buffer[] = [];
      socket.write("hi ");
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("end", () => {
        received.push(Buffer.concat(chunks).toString());
        socket.end(Buffer.concat(chunks));
      });
    }),
  );
  const refused = await closedPort();
  const to = `127.0.0.1:${server.port}`;
  const routes = { "a.internal": to, "refused.internal": `127.0.0.1:${refused}` };
  const worker = stack.use(
    await startTestWorker<TestEnv & { WRITER: Writer }>({
      config: { traffic, networks: { [TUNNEL]: { routes } } },
      prelude: `
        import { WorkerEntrypoint } from "cloudflare:workers";
        import { connect } from "cloudflare:sockets";
        export class Writer extends WorkerEntrypoint {
          fetch() { return new Response(); }
          async write(writable, texts) {
            const writer = writable.getWriter();
            for (const text of texts) await writer.write(new TextEncoder().encode(text));
            await writer.close();
          }
        }`,
      env: {
        NET: { type: "vpc-network", tunnelId: TUNNEL },
        WRITER: { type: "worker", worker: "app", exportName: "Writer" },
      },
      ops: {
        async pass(env, { address, texts, ticks }: { address: string; texts: string[]; ticks: number }) {
          const socket = env.NET.connect(address);
          const opened = socket.opened.then(() => "open", String);
          for (let passed = 0; passed < ticks; passed++) await Promise.resolve();
          await env.WRITER.write(socket.writable, texts);
          return [await opened, await new Response(socket.readable).text()];
        },
        async abort(env, { address, isWriting }: Abort) {
          // @ts-expect-error: imported in the prelude
          const connectPlainly: typeof env.NET.connect = connect;
          const socket = address.startsWith("127.") ? connectPlainly(address) : env.NET.connect(address);
          const writer = socket.writable.getWriter();
          const written = isWriting ? writer.write(new Uint8Array(1)).catch(String) : undefined;
          await writer.abort(new Error("mine"));
          const begun = Date.now();
          const opened = await socket.opened.then(() => "open", String);
          const { value } = await socket.readable.getReader().read();
          const greeting = new TextDecoder().decode(value);
          return { opened, greeting, written: await written, isQuick: Date.now() - begun < 900 };
        },
      },
    }),
  );
  return { worker, port: server.port, received, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe.each([false, true])("before it is open, with traffic lines %s,", (traffic) => {
  it("a stream that is passed to another Worker carries all its bytes", async () => {
    await using started = await start(traffic);
    const pass = (given: object): Promise<unknown> => started.worker.call("pass", given);
    const long = "0123456789".repeat(1000);
    for (const ticks of [0, 1, 5, 50, 500])
      for (const texts of [["PING"], ["!"], ["hello ", "world"], [long], []])
        expect(await pass({ address: "a.internal:1", texts, ticks })).toEqual(["open", `hi ${texts.join("")}`]);
    const lines = (): string[] => started.worker.output().match(/↑ 4 B ↓ 7 B/g) ?? [];
    await expect.poll(lines).toHaveLength(traffic ? 5 : 0);
    expect(await pass({ address: "refused.internal:1", texts: [], ticks: 0 })).toEqual([
      "Error: ProxyError: connection_refused",
      "",
    ]);
  });

  it("what is passed to another Worker is never taken for a host that has no room in the address", async () => {
    await using started = await start(traffic);
    const secret = `a.internal:1 ${"secret ".repeat(100)}`;
    for (const host of [Array.from({ length: 4 }, () => "a".repeat(60)).join("."), "--a"])
      expect(await started.worker.call("pass", { address: `${host}:1`, texts: [secret], ticks: 0 })).toEqual([
        "Error: ProxyError: proxy_internal_error",
        "",
      ]);
    expect(started.received).toEqual([]);
    expect(started.worker.output()).toContain("await connect() first");
    expect(started.worker.output()).not.toContain("secret");
  });

  it("an abort leaves it open, as with a plain socket", async () => {
    await using started = await start(traffic);
    const { worker, port, received } = started;
    for (const isWriting of [false, true]) {
      const abort = (address: string): Promise<unknown> => worker.call("abort", { address, isWriting });
      const written = isWriting ? { written: "Error: mine" } : {};
      const open = { opened: "open", greeting: "hi ", isQuick: true, ...written };
      expect(await abort(`127.0.0.1:${port}`)).toEqual(open);
      expect(await abort("a.internal:1")).toEqual(open);
      const failed = { opened: expect.stringContaining("ProxyError: connection_refused") };
      expect(await abort("refused.internal:1")).toMatchObject(failed);
    }
    await expect.poll(() => received).toEqual(["", "", "", ""]);
  });
});
