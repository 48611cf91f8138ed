/**
 * Pushes a table into the running service worker, over a socket of workerd that only this process
 * knows: a fresh path each time, for workerd does not take over a path that exists.
 */

import { randomBytes } from "node:crypto";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import type { RoutingTable } from "../service-worker/table.ts";

/** The running service worker's socket for edits. */
export interface Control {
  /** As workerd listens. */
  address: string;
  /** As Node connects. */
  connect: { socketPath: string } | { host: string; port: number };
  /** Nobody's but this socket's: on Windows another process might get the port first. */
  secret: string;
}

/** Milliseconds within which a runtime that is starting or swapping must take the table. */
const DEADLINE = 10_000;
const RETRY = 20;

let count = 0;

/** @param directory private to this process */
export async function makeControl(directory: string): Promise<Control> {
  const secret = randomBytes(32).toString("base64url");
  if (process.platform !== "win32") {
    const socketPath = path.join(directory, `c${++count}`);
    return { address: `unix:${socketPath}`, connect: { socketPath }, secret };
  }
  const port = await freePort();
  return { address: `127.0.0.1:${port}`, connect: { host: "127.0.0.1", port }, secret };
}

/**
 * @param options.isOver whether the instance was disposed of; asked when nothing listens
 * @throws {Error} if the runtime refuses the table, or does not answer within ten seconds
 */
export async function pushTable(
  control: Control,
  options: { table: RoutingTable; isOver: () => boolean },
): Promise<"taken" | "over"> {
  const body = JSON.stringify(options.table);
  const deadline = Date.now() + DEADLINE;
  for (;;) {
    if (options.isOver()) return "over";
    const answer = await post(control, { body, within: deadline - Date.now() });
    if (typeof answer === "string") {
      if (Date.now() > deadline) throw new Error(`The running service worker did not take the vpc config: ${answer}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY).unref());
    } else if (answer.status === 204) {
      return "taken";
    } else {
      throw new Error(`The running service worker refused the vpc config: ${answer.status} ${answer.text}`);
    }
  }
}

/** @returns the answer, or why there is none */
function post(
  { connect, secret }: Control,
  { body, within }: { body: string; within: number },
): Promise<{ status: number; text: string } | string> {
  return new Promise((resolve) => {
    const request = http.request({
      ...connect,
      method: "POST",
      path: "/table",
      agent: false,
      headers: { host: "control", authorization: `Bearer ${secret}`, "content-type": "application/json" },
    });
    request.setTimeout(Math.max(within, 1), () => request.destroy(new Error("it does not answer")));
    request.on("error", (error) => resolve(error.message));
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      response.on("error", (error) => resolve(error.message));
    });
    request.end(body);
  });
}

/** workerd tells no plugin which port it got, so one is picked beforehand. Windows only. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null ? resolve(address.port) : reject()));
    });
  });
}
