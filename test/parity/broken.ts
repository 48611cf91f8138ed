/** Responses that break off in the body, and failed upgrades. */

import { type ProxyErrorCode, proxyErrorMessage } from "../../service-worker/routing/error-codes.ts";
import { ok } from "../servers/http-origin.ts";
import { ending, onceComplete, readThenGo, resettingOnGo } from "./fault.ts";
import { AGAIN, type ParityCase, type Replacements, proxied, thrown } from "./case.ts";

const LOST = "threw Error: Network connection lost.";

/** For bodies of unknown length or more than 64 KiB. `readThenGo` doesn't list an error's properties. */
function broken(code: ProxyErrorCode): readonly [seen: Replacements, read: Replacements] {
  return [[[`${LOST} {"retryable":true}`, thrown(code)]], [[LOST, `threw Error: ${proxyErrorMessage(code)}`]]];
}

const [incomplete, incompleteRead] = broken("http_response_incomplete");
const reason = "a VPC binding throws the code of the cause";
const SEEN = { deviates: { direct: incomplete, egress: incomplete, reason } };
const READ = { ask: readThenGo, gets: ["200"], deviates: { direct: incompleteRead, egress: incompleteRead, reason } };
const MALFORMED = {
  deviates: {
    direct: incomplete,
    egress: broken("http_protocol_error")[0],
    reason: "workerd throws the same error for garbage and a closed connection; the proxy doesn't",
  },
};

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

const CUT: readonly ParityCase[] = (
  [
    ["in chunks", `${CHUNKED}4\r\npart\r\n`],
    ["inside a chunk", `${CHUNKED}9\r\npart`],
    ["before the last chunk's end", `${CHUNKED}4\r\npart\r\n0\r\n`],
  ] as const
).flatMap(([where, text]) => [
  { title: `a close in the middle of a body ${where}`, answer: ending(text), ...SEEN },
  {
    title: `a reset in the middle of a body ${where}, after the Worker has read so far`,
    ...READ,
    answer: resettingOnGo(text),
  },
]);

const REST: readonly ParityCase[] = [
  {
    title: "a reset in the middle of a body that ends with the connection, after the Worker has read so far",
    ...READ,
    deviates: {
      ...READ.deviates,
      lane: [...incompleteRead, AGAIN, ["→ connection 2\n→ GET /go", "→ connection 3\n→ GET /go"]],
    },
    answer: resettingOnGo("HTTP/1.1 200 OK\r\n\r\npart"),
  },
  {
    title: "a close in the middle of 128 KiB",
    answer: ending(`HTTP/1.1 200 OK\r\nContent-Length: ${128 * 1024}\r\n\r\npart`),
    ...SEEN,
  },
  {
    title: "a reset in the middle of 128 KiB, after the Worker has read so far",
    ...READ,
    answer: resettingOnGo(`HTTP/1.1 200 OK\r\nContent-Length: ${128 * 1024}\r\n\r\npart`),
  },
  { title: "a chunk whose size isn't a number", answer: ending(`${CHUNKED}1\r\na\r\nzz\r\npart\r\n`), ...MALFORMED },
  { title: "a chunk with a negative size", answer: ending(`${CHUNKED}1\r\na\r\n-1\r\npart\r\n`), ...MALFORMED },
  { title: "a chunk longer than its size", answer: ending(`${CHUNKED}4\r\npartX\r\n0\r\n\r\n`), ...MALFORMED },
  { title: "a chunk of more than 2^64 bytes", answer: ending(`${CHUNKED}FFFFFFFFFFFFFFFFF\r\na`), ...MALFORMED },
  {
    title: "blanks before a chunk's extension",
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 ; a=b\r\na\r\n0\r\n\r\n",
    ...proxied("Node's parser refuses them", [
      '← body "a"\n← end of body',
      `← body ""\n← ${thrown("http_protocol_error")}`,
    ]),
  },
];

const SECOND_HANDSHAKE = [
  "→ connection 2",
  "→ GET / HTTP/1.1",
  "→ Connection: Upgrade",
  "→ Upgrade: websocket",
  "→ Sec-WebSocket-Key: …",
  "→ Sec-WebSocket-Version: 13",
  "→ Host: origin",
  '→ body ""\n',
].join("\n");

/** @param lines on the straight path: a response that workerd makes, or its error */
function notUpgraded(...lines: string[]): Pick<ParityCase, "ask" | "gets" | "deviates"> {
  const straight = lines.map((line) => `← ${line}`).join("\n");
  const instead = `← ${thrown("http_upgrade_failed")}`;
  return {
    ask: { init: { headers: { Upgrade: "websocket" } } },
    gets: [lines[0] ?? ""],
    deviates: {
      direct: [[straight, SECOND_HANDSHAKE + instead]],
      egress: [[straight, instead]],
      lane: [[straight, instead]],
      reason:
        "a VPC binding throws the code of the cause; the direct path repeats the request through the proxy to learn it",
    },
  };
}

const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
const FAILED = "Server failed WebSocket handshake: incorrect";

/** @param fields of the 101 @param seen the same fields as the Worker sees them on the straight path */
function unasked(title: string, fields: string, seen: string): ParityCase {
  const straight = `101 Switching Protocols\n← at http://origin/a\n${seen}← no body`;
  const instead: Replacements = [[straight, thrown("http_protocol_error")]];
  return {
    title,
    ask: [{ path: "/a" }, { path: "/b" }],
    // The next request must not use the connection, which has switched to another protocol.
    answer: onceComplete(({ ordinal, send }) =>
      send(ordinal === 1 ? `HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n` : ok("b")),
    ),
    gets: ["101 Switching Protocols", "200 OK"],
    deviates: { direct: instead, egress: instead, reason: "a 101 without a request for it is not HTTP" },
  };
}

const UPGRADES: readonly ParityCase[] = [
  {
    title: "a 101 with a wrong Sec-WebSocket-Accept",
    answer: `${SWITCHING}Upgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n`,
    ...notUpgraded(
      "502 Bad Gateway",
      "at http://origin/",
      `body "${FAILED} Sec-WebSocket-Accept header: expected '…', got 'wrong'."`,
      "end of body",
    ),
  },
  {
    title: "a 101 to another protocol",
    answer: `${SWITCHING}Upgrade: foo\r\n\r\n`,
    ...notUpgraded(
      "502 Bad Gateway",
      "at http://origin/",
      `body "${FAILED} Upgrade header: expected 'websocket', got 'foo'."`,
      "end of body",
    ),
  },
  { title: "a close instead of a handshake", answer: ending(""), ...notUpgraded(`${LOST} {"retryable":true}`) },
  unasked(
    "a 101 without a request for it",
    "Connection: Upgrade\r\nUpgrade: foo\r\n",
    "← connection: Upgrade\n← upgrade: foo\n",
  ),
  unasked("a 101 without a request for it and without a protocol", "", ""),
];

export const BROKEN_CASES: readonly ParityCase[] = [...CUT, ...REST, ...UPGRADES];
