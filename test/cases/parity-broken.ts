/** Answers that break off once they have begun: bodies of unknown length, and upgrades. */

import { type ProxyErrorCode, proxyErrorMessage } from "../../service-worker/proxy-error.ts";
import { ending, readThenGo, resettingOnGo } from "./parity-fault.ts";
import { type ParityCase, type Replacements, proxied, thrown } from "./parity-case.ts";

const LOST = "threw Error: Network connection lost.";

/** Of bodies of unknown length or more than 64 KiB; `readThenGo` does not tell an error's marks. */
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
    reason: "workerd does not tell garbage from a hang-up; the proxy does",
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
    title: `a reset in the middle of a body ${where}, once the Worker has read so far`,
    ...READ,
    answer: resettingOnGo(text),
  },
]);

const REST: readonly ParityCase[] = [
  {
    title: "a reset in the middle of a body until the close, once the Worker has read so far",
    ...READ,
    answer: resettingOnGo("HTTP/1.1 200 OK\r\n\r\npart"),
  },
  {
    title: "a close in the middle of 128 KiB",
    answer: ending(`HTTP/1.1 200 OK\r\nContent-Length: ${128 * 1024}\r\n\r\npart`),
    ...SEEN,
  },
  {
    title: "a reset in the middle of 128 KiB, once the Worker has read so far",
    ...READ,
    answer: resettingOnGo(`HTTP/1.1 200 OK\r\nContent-Length: ${128 * 1024}\r\n\r\npart`),
  },
  { title: "a chunk whose size is no number", answer: ending(`${CHUNKED}1\r\na\r\nzz\r\npart\r\n`), ...MALFORMED },
  { title: "a chunk of a size below zero", answer: ending(`${CHUNKED}1\r\na\r\n-1\r\npart\r\n`), ...MALFORMED },
  { title: "a chunk longer than it says", answer: ending(`${CHUNKED}4\r\npartX\r\n0\r\n\r\n`), ...MALFORMED },
  { title: "a chunk of more than 2^64 octets", answer: ending(`${CHUNKED}FFFFFFFFFFFFFFFFF\r\na`), ...MALFORMED },
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

/** @param lines what there is on the straight way: an answer of workerd's own, or its words */
function notUpgraded(...lines: string[]): Pick<ParityCase, "ask" | "gets" | "deviates"> {
  const straight = lines.map((line) => `← ${line}`).join("\n");
  const instead = `← ${thrown("http_upgrade_failed")}`;
  return {
    ask: { init: { headers: { Upgrade: "websocket" } } },
    gets: [lines[0] ?? ""],
    deviates: {
      direct: [[straight, SECOND_HANDSHAKE + instead]],
      egress: [[straight, instead]],
      reason: "a VPC binding throws the code of the cause; the direct path lets the proxy ask again to learn it",
    },
  };
}

const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
const FAILED = "Server failed WebSocket handshake: incorrect";

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
  {
    title: "a 101 that nobody asked for",
    answer: `${SWITCHING}Upgrade: foo\r\n\r\n`,
    gets: ["101 Switching Protocols"],
    ...proxied("a 101 without a request for it is no HTTP", [
      "101 Switching Protocols\n← at http://origin/\n← connection: Upgrade\n← upgrade: foo\n← no body",
      thrown("http_protocol_error"),
    ]),
  },
];

export const BROKEN_CASES: readonly ParityCase[] = [...CUT, ...REST, ...UPGRADES];
