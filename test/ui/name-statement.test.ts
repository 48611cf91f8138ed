/** What a database is asked, as the first bytes of real clients and of edge cases tell it. */

import { expect, test } from "vitest";

import { type NamedStatements, nameStatements } from "../../plugin/ui/name-statement.ts";

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** @param type absent for the messages before the start */
function postgres(type: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(type), int32(bytes.length + 4), bytes]);
}

function mysql(sequence: number, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from([bytes.length, 0, 0, sequence]), bytes]);
}

const START = postgres("", Buffer.concat([int32(196_608), Buffer.from("user\0app\0database\0shop\0\0")]));
const TLS = postgres("", int32(80_877_103));
const MYSQL_GREETING = mysql(0, Buffer.from("\n8.4.3\0\u0001\0\0\0salt", "latin1"));
const NOTHING = Buffer.alloc(0);

test.each<[what: string, sent: Buffer, received: Buffer, named: NamedStatements | undefined]>([
  ["PostgreSQL before a query", START, NOTHING, { protocol: "PostgreSQL", statements: [] }],
  [
    "PostgreSQL: simple and prepared queries, in one line each, and never a password",
    Buffer.concat([
      TLS,
      START,
      postgres("p", "secret\0"),
      postgres("Q", "SELECT 1\n  FROM users\0"),
      postgres("P", "name\0INSERT INTO users VALUES ($1)\0\0\0"),
      postgres("B", "\0\0"),
    ]),
    NOTHING,
    { protocol: "PostgreSQL", statements: ["SELECT 1 FROM users", "INSERT INTO users VALUES ($1)"] },
  ],
  [
    "PostgreSQL: half a message",
    Buffer.concat([START, postgres("Q", "SELECT 1\0").subarray(0, 9)]),
    NOTHING,
    { protocol: "PostgreSQL", statements: [] },
  ],
  [
    "PostgreSQL: a length that is too small ends the reading",
    Buffer.concat([START, Buffer.from("Q"), int32(0), postgres("Q", "SELECT 1\0")]),
    NOTHING,
    { protocol: "PostgreSQL", statements: [] },
  ],
  [
    "MySQL: a query and a prepared one, not the login",
    Buffer.concat([
      mysql(1, "\u0003login with a password"),
      mysql(0, "\u0003SELECT * FROM carts"),
      mysql(0, "\u0016DELETE FROM carts WHERE id = ?"),
      mysql(0, "\u0001"),
    ]),
    MYSQL_GREETING,
    { protocol: "MySQL", statements: ["SELECT * FROM carts", "DELETE FROM carts WHERE id = ?"] },
  ],
  [
    "Redis: commands, without what logs in",
    Buffer.from("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n1 \r\n*1\r\n$4\r\nPI"),
    NOTHING,
    { protocol: "Redis", statements: ["AUTH", "SET a 1"] },
  ],
  ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Buffer.from("HTTP/1.1 200 OK\r\n\r\n"), undefined],
  ["nothing", NOTHING, NOTHING, undefined],
  ["random bytes", Buffer.from([42, 0, 0, 1, 255, 3, 0, 0, 9]), Buffer.from([1, 2, 3]), undefined],
])("%s", (_, sent, received, named) => {
  expect(nameStatements(sent, received)).toEqual(named);
});

test("there is an end to statements and to their length", () => {
  const long = postgres("Q", `SELECT '${"x".repeat(10_000)}'\0`);
  const { statements = [] } =
    nameStatements(Buffer.concat([START, ...Array.from({ length: 30 }, () => long)]), NOTHING) ?? {};
  expect(statements).toHaveLength(20);
  expect(statements[0]).toHaveLength(502);
});

test("every prefix of a conversation is read without an error", () => {
  const sent = Buffer.concat([START, postgres("Q", "SELECT 1\0")]);
  const redis = Buffer.from("*1\r\n$4\r\nPING\r\n");
  for (const whole of [sent, redis, mysql(0, "\u0003SELECT 1")]) {
    for (let end = 0; end <= whole.length; end++) {
      expect(() => nameStatements(whole.subarray(0, end), MYSQL_GREETING)).not.toThrow();
    }
  }
});
