/** A target that answers before it has read the upload: the Worker gets the response at once, and the next request works. */

import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { startTcpServer } from "../servers/tcp-server.ts";
import { TUNNEL, startTestWorker, type TestEnv } from "../setup/test-worker.ts";

const MEBIBYTES = 100;
const TOO_LARGE = "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 9\r\n\r\ntoo large";
const NEXT = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";

/** What the target does after its answer. */
const AFTERWARDS: Record<string, (socket: Socket) => void> = {
  "stops reading and keeps the connection": (socket) => void socket.pause(),
  "reads on": (socket) => void socket.resume(),
  "closes the connection": (socket) => void socket.end(),
  "destroys the connection at the next bytes": (socket) => void socket.once("data", () => socket.destroy()),
};

const ops = {
  upload: async (env: TestEnv, { host, form, mebibytes }: { host: string; form: string; mebibytes: number }) => {
    const piece = new Uint8Array(1024 * 1024);
    let left = mebibytes;
    const stream = (): ReadableStream =>
      new ReadableStream({
        pull(controller) {
          if (left-- === 0) controller.close();
          else controller.enqueue(piece);
        },
      });
    const body = form === "a stream" ? stream() : new Uint8Array(mebibytes * piece.length);
    const response = await env.NET.fetch(`http://${host}/upload`, { method: "POST", body });
    const answer = `${response.status} ${await response.text()}`;
    const next = await env.NET.fetch(`http://${host}/next`, { method: "POST", body: "x" });
    return [answer, `${next.status} ${await next.text()}`];
  },
};

const ways = [
  ["known.internal", "a stream"],
  ["known.internal", "a buffer"],
  ["late.wild.internal", "a stream"],
  ["late.wild.internal", "a buffer"],
] as const;

test.each(Object.keys(AFTERWARDS).flatMap((afterwards) => ways.map(([host, form]) => ({ afterwards, host, form }))))(
  "a target that $afterwards, $form to $host",
  async ({ afterwards, host, form }) => {
    const wholeUploads: string[] = [];
    await using target = await startTcpServer((socket) => {
      let head = "";
      socket.on("error", () => socket.destroy());
      socket.on("data", (chunk) => {
        const isFirst = head === "";
        head = head.slice(-4) + chunk.subarray(-16).toString("latin1");
        if (!isFirst) {
          if (head.endsWith("\r\n0\r\n\r\n")) wholeUploads.push(form);
          return;
        }
        if (chunk.toString("latin1").startsWith("POST /next")) {
          socket.end(NEXT);
          return;
        }
        socket.write(TOO_LARGE);
        AFTERWARDS[afterwards]?.(socket);
      });
    });
    await using worker = await startTestWorker({
      ops,
      config: {
        networks: {
          [TUNNEL]: {
            routes: { "known.internal": `127.0.0.1:${target.port}`, "*.wild.internal": `127.0.0.1:${target.port}` },
          },
        },
      },
    });
    expect(await worker.call("upload", { host, form, mebibytes: MEBIBYTES })).toEqual(["413 too large", "200 next"]);
    // The upload was aborted, so the target must not see a complete one.
    expect(wholeUploads).toEqual([]);
  },
);
