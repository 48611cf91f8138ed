/**
 * Finds out what a target does with a connection that it accepted: it answers `HEAD /`, or a message says what it did
 * instead: it closed the connection, stayed silent, or spoke another protocol, such as TLS instead of plain HTTP.
 */

import { once } from "node:events";
import http from "node:http";
import type net from "node:net";

import { bracketHost } from "../../service-worker/routing/address.ts";
import type { EgressFailure } from "../../service-worker/routing/egress-protocol.ts";
import { EgressError } from "../egress/egress-error.ts";
import { describeNoResponse } from "../egress/http/response-failure.ts";
import type { PresentedCertificate } from "../system/certificates.ts";

export interface Question {
  /** The name for the Host header. */
  hostName: string;
  /** Milliseconds to wait for an answer. */
  patience: number;
  /** What the target got if it asked for it. */
  client?: PresentedCertificate | undefined;
}

/**
 * @returns the status of the answer to `HEAD /`
 * @throws {EgressError} if there is no answer
 */
export async function askHead(socket: net.Socket, { hostName, patience, client }: Question): Promise<number> {
  const host = bracketHost(hostName);
  const request = http.request({ createConnection: () => socket, method: "HEAD", path: "/", headers: { host } });
  let received = Buffer.alloc(0);
  request.once("socket", () => socket.on("data", (chunk: Buffer) => (received = Buffer.concat([received, chunk]))));
  const silent: EgressFailure = {
    code: "connection_read_timeout",
    detail: `it accepted the connection, but did not answer HEAD / within ${patience} ms`,
  };
  // Some servers answer HEAD with a body, which breaks the connection after the answer.
  request.on("error", () => {});
  request.setTimeout(patience, () => request.destroy(new EgressError(silent)));
  request.end();
  try {
    const [response]: http.IncomingMessage[] = await once(request, "response");
    response?.resume();
    return response?.statusCode ?? 0;
  } catch (error) {
    throw new EgressError(describeMissing(error, { received, client }));
  }
}

/** @param received the bytes that came instead of a response */
function describeMissing(
  error: unknown,
  { received, client }: { received: Buffer } & Pick<Question, "client">,
): EgressFailure {
  const failure = describeNoResponse(error, { received: received.length, isUpgrade: false, client });
  if (failure.code === "connection_terminated") {
    const doubt = client === undefined ? "" : `; it may have refused the client certificate ${client.file}`;
    return { ...failure, detail: `it accepted the connection and closed it without an answer to HEAD /${doubt}` };
  }
  if (failure.code === "http_protocol_error") return { ...failure, detail: describeGarbage(received, failure.detail) };
  return failure;
}

const MAX_QUOTED = 40;

function describeGarbage(received: Buffer, reason: string): string {
  const [text = ""] = /[\x20-\x7e]{4,}/.exec(received.toString("latin1")) ?? [];
  if (text.startsWith("HTTP/")) return `its answer to HEAD / is not valid HTTP: ${reason}`;
  const quoted = text === "" ? "" : `: it sends ${JSON.stringify(text.slice(0, MAX_QUOTED))}`;
  return `it does not speak HTTP${quoted}`;
}

/** Milliseconds. A proxy without a server behind it, such as Docker's for a published port, accepts and closes at once. */
const HANGS_UP_WITHIN = 200;

/** @throws {EgressError} if the target closes the connection at once, without sending a byte */
export async function waitForHangUp(socket: net.Socket): Promise<void> {
  socket.resume();
  const ends = Promise.race(["end", "error", "close"].map(async (event) => void (await once(socket, event))));
  const stays = Promise.race([
    once(socket, "data"),
    new Promise((resolve) => setTimeout(resolve, HANGS_UP_WITHIN).unref()),
  ]);
  const isOver = await Promise.race([ends.then(() => true), stays.then(() => false)]);
  if (isOver)
    throw new EgressError({
      code: "connection_terminated",
      detail: "it accepted the connection and closed it at once, without sending a byte",
    });
}
