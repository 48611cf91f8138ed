/** Keeps the password of a database out of the journal and the traffic page. Pure. */

/**
 * The type of all of PostgreSQL's messages that a client logs in with, such as PasswordMessage:
 * <https://www.postgresql.org/docs/current/protocol-message-formats.html>. A client of MySQL sends no password in plain bytes.
 */
const LOGIN_MESSAGE = "p".charCodeAt(0);
/** The type and the length. */
const HEAD = 5;

/** @param chunk what a client has written at once @returns the same, or with a login of the same length that says nothing */
export function maskLogin(chunk: Buffer): Buffer {
  if (chunk[0] !== LOGIN_MESSAGE || chunk.length < HEAD) return chunk;
  const end = Math.min(1 + chunk.readUInt32BE(1), chunk.length);
  return Buffer.concat([chunk]).fill("*", HEAD, Math.max(end, HEAD));
}
