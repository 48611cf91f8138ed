/**
 * Names what the bytes of a Worker say to a database: the statement, or the command. Looks at the first bytes of a connection
 * only, and at whole messages only. No library parses what clients send, so this reads the few messages that matter.
 *
 *   bytes ──▶ a protocol's opening? ──▶ its messages ──▶ statements, in order
 */

/** What a connection was used for, as far as its first bytes tell. */
export interface NamedStatements {
  protocol: "PostgreSQL" | "MySQL" | "Redis";
  /** In order, each in a line. */
  statements: string[];
}

/** Statements that are named. */
const MAX_STATEMENTS = 20;
/** Characters of one. */
const MAX_LENGTH = 500;

/**
 * @param sent what the Worker has sent, from the start
 * @param received what the target has sent; MySQL's server speaks first
 * @returns undefined if it is none of these protocols
 */
export function nameStatements(sent: Buffer, received: Buffer): NamedStatements | undefined {
  const read = isPostgres(sent)
    ? ({ protocol: "PostgreSQL", found: readPostgres(sent) } as const)
    : isMySql(received)
      ? ({ protocol: "MySQL", found: readMySql(sent) } as const)
      : isRedis(sent)
        ? ({ protocol: "Redis", found: readRedis(sent) } as const)
        : undefined;
  if (read === undefined) return undefined;
  const statements: string[] = [];
  for (const statement of read.found) {
    if (statements.length === MAX_STATEMENTS) break;
    statements.push(inOneLine(statement));
  }
  return { protocol: read.protocol, statements };
}

function inOneLine(statement: string): string {
  const line = statement.replaceAll(/\s+/g, " ").trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)} …` : line;
}

/** Protocol 3.0, and the requests for TLS and for GSSAPI encryption: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const POSTGRES_OPENINGS = new Set([196_608, 80_877_103, 80_877_104]);

function isPostgres(sent: Buffer): boolean {
  return sent.length >= 8 && POSTGRES_OPENINGS.has(sent.readInt32BE(4)) && sent.readInt32BE(0) >= 8;
}

function* readPostgres(sent: Buffer): Generator<string> {
  let at = 0;
  // Messages before the start-up message have no type, and neither has that.
  while (at + 8 <= sent.length && POSTGRES_OPENINGS.has(sent.readInt32BE(at + 4))) at += sent.readInt32BE(at);
  for (let end; at + 5 <= sent.length; at = end) {
    end = at + 1 + sent.readInt32BE(at + 1);
    if (end > sent.length || end < at + 5) return;
    const body = sent.subarray(at + 5, end);
    const type = String.fromCharCode(sent[at] ?? 0);
    // Query, and Parse: the name of the prepared statement, then its text.
    if (type === "Q") yield textTo(body, 0);
    if (type === "P") yield textTo(body, body.indexOf(0) + 1);
  }
}

/** A text that ends with a zero. */
function textTo(body: Buffer, from: number): string {
  const end = body.indexOf(0, from);
  return body.toString("utf8", from, end === -1 ? body.length : end);
}

/** The handshake of protocol 10: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html */
function isMySql(received: Buffer): boolean {
  return (
    received.length > 10 &&
    received[3] === 0 &&
    received[4] === 10 &&
    /^[\w.-]{3,60}\0/.test(received.toString("latin1", 5, 70))
  );
}

/** COM_QUERY and COM_STMT_PREPARE. */
const MYSQL_TEXTS = new Set([0x03, 0x16]);

function* readMySql(sent: Buffer): Generator<string> {
  for (let at = 0, end; at + 5 <= sent.length; at = end) {
    end = at + 4 + sent.readUIntLE(at, 3);
    if (end > sent.length) return;
    const command = sent[at + 4] ?? 0;
    // A command starts the numbers of the packets anew; the handshake goes on with the server's.
    if (sent[at + 3] === 0 && MYSQL_TEXTS.has(command)) yield sent.toString("utf8", at + 5, end);
  }
}

/** RESP: a list of bulk strings, https://redis.io/docs/latest/develop/reference/protocol-spec/ */
function isRedis(sent: Buffer): boolean {
  return /^\*[1-9]\d{0,4}\r\n\$\d{1,9}\r\n/.test(sent.toString("latin1", 0, 24));
}

/** What follows them is a password. */
const REDIS_SECRETS = new Set(["AUTH", "HELLO"]);

function* readRedis(sent: Buffer): Generator<string> {
  let at = 0;
  /** @returns the number after the mark; undefined if the line is not there */
  const number = (mark: string): number | undefined => {
    const end = sent.indexOf("\r\n", at);
    const [, digits] = new RegExp(`^\\${mark}(\\d+)$`).exec(sent.toString("latin1", at, end)) ?? [];
    if (end === -1 || digits === undefined) return undefined;
    at = end + 2;
    return Number(digits);
  };
  for (;;) {
    const count = number("*");
    if (count === undefined) return;
    const words: string[] = [];
    for (let index = 0; index < count; index++) {
      const size = number("$");
      if (size === undefined || at + size > sent.length) return;
      words.push(sent.toString("utf8", at, at + size));
      at += size + 2;
    }
    const [command = ""] = words;
    yield REDIS_SECRETS.has(command.toUpperCase()) ? command : words.join(" ");
  }
}
