/**
 * What a database would say in place of accepting a connection, so that the client library shows our error code. Pure.
 */

import type { DatabaseLogin } from "../model.ts";

/** @param message what the client library shows */
export function refusalFor(scheme: DatabaseLogin["scheme"], message: string): Buffer {
  return scheme === "mysql" ? mysqlError(message) : postgresError(message);
}

/** An ErrorResponse: <https://www.postgresql.org/docs/current/protocol-message-formats.html>. */
function postgresError(message: string): Buffer {
  const fields = ["SFATAL", "VFATAL", `C${CONNECTION_FAILURE}`, `M${message}`, ""]
    .map((field) => `${field}\0`)
    .join("");
  const body = Buffer.from(fields);
  const head = Buffer.alloc(5, "E");
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** The SQLSTATE `sqlclient_unable_to_establish_sqlconnection`. */
const CONNECTION_FAILURE = "08001";

/** An ERR packet in place of the server's greeting, which has no SQLSTATE: <https://mariadb.com/docs/server/reference/clientserver-protocol/4-server-response-packets/err_packet>. */
function mysqlError(message: string): Buffer {
  const head = Buffer.from([0xff, 0, 0]);
  head.writeUInt16LE(HOST_NOT_PRIVILEGED, 1);
  const body = Buffer.concat([head, Buffer.from(message)]);
  // Three bytes for the length, and one for the packet's number.
  const frame = Buffer.alloc(4);
  frame.writeUIntLE(body.length, 0, 3);
  return Buffer.concat([frame, body]);
}

/** `ER_HOST_NOT_PRIVILEGED`, which a server sends before its greeting. */
const HOST_NOT_PRIVILEGED = 1130;
