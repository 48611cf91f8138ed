/** Origins that fail before a response, or send an invalid one. */

import { ok } from "../servers/http-origin.ts";
import type { Answer, Exchange } from "../servers/observed-origin.ts";
import { ending, onceComplete, readThenGo, resettingOnGo } from "./fault.ts";
import {
  APART,
  LOST,
  type ParityCase,
  alwaysProxied,
  failing,
  failingTwice,
  proxied,
  proxiedAgain,
  thrown,
} from "./case.ts";

const resetting: Answer = onceComplete(({ socket }) => socket.resetAndDestroy());

/** For what Node's parser accepts and workerd's refuses. */
function tolerated(reason: string, instead: string): Pick<ParityCase, "gets" | "deviates"> {
  const { gets, deviates } = failingTwice("http_protocol_error");
  const direct = deviates.direct.map(
    ([lost, refused]) => [lost, refused.replace(thrown("http_protocol_error"), instead)] as const,
  );
  return { gets, deviates: { direct, egress: [[LOST, instead]], reason } };
}

/** A body that ends with the connection, because its last coding is not "chunked". */
function untilTheClose(codings: string, instead: string): ParityCase {
  return {
    title: `Transfer-Encoding: ${codings}`,
    answer: ending(`HTTP/1.1 200 OK\r\nTransfer-Encoding: ${codings}\r\n\r\nhello`),
    ...proxiedAgain("a body that ends with the connection is forwarded in chunks", [
      `← transfer-encoding: ${codings}\n`,
      `← transfer-encoding: ${instead}\n`,
    ]),
  };
}

const DROPPED = failingTwice("connection_terminated");
const CUT = failingTwice("http_response_incomplete");
const GARBAGE = failingTwice("http_protocol_error");

const POST = { init: { method: "POST", body: "abc" } };

const BEFORE: readonly ParityCase[] = [
  { title: "a close instead of a response to a GET", answer: ending(""), ...DROPPED },
  {
    title: "a close instead of a response to a POST",
    ask: POST,
    answer: ending(""),
    ...failing("connection_terminated"),
  },
  { title: "a reset instead of a response to a GET", answer: resetting, ...DROPPED },
  {
    title: "a reset instead of a response to a POST",
    ask: POST,
    answer: resetting,
    ...failing("connection_terminated"),
  },
  { title: "a close before the request is read", answer: ({ socket }) => socket.destroy(), ...DROPPED },
  { title: "a close in the middle of the head", answer: ending("HTTP/1.1 200 OK\r\nX-A: b"), ...CUT },
  { title: "a close in the middle of the first line", answer: ending("HTTP/1.1 2"), ...CUT },
  { title: "a close after a 100", answer: ending("HTTP/1.1 100 Continue\r\n\r\n"), ...CUT },
];

const MALFORMED: readonly ParityCase[] = [
  { title: "the greeting of an SSH server", answer: ending("SSH-2.0-x\r\n"), ...GARBAGE },
  { title: "a status that isn't a number", answer: ending("HTTP/1.1 abc OK\r\n\r\n"), ...GARBAGE },
  { title: "a status of two digits", answer: ending("HTTP/1.1 20 OK\r\n\r\n"), ...GARBAGE },
  { title: "a control character in the reason", answer: ending("HTTP/1.1 200 O\u0001K\r\n\r\n"), ...GARBAGE },
  { title: "a DEL in the reason", answer: ending("HTTP/1.1 200 \u007f\r\nContent-Length: 2\r\n\r\nhi"), ...GARBAGE },
  { title: "a NUL in the reason", answer: ending("HTTP/1.1 200 \u0000\r\nContent-Length: 2\r\n\r\nhi"), ...GARBAGE },
  {
    title: "a control character in an interim response's reason",
    answer: ending(`HTTP/1.1 103 O\u0001K\r\n\r\n${ok("a")}`),
    ...tolerated(
      "the proxy drops an interim response that workerd would refuse",
      '200 OK\n← at http://origin/\n← content-length: 1\n← body "a"\n← end of body',
    ),
  },
  {
    title: "a control character in an interim response's field",
    answer: ending(`HTTP/1.1 103 Wait\r\nX-A: a\u0001b\r\n\r\n${ok("a")}`),
  },
  { title: "bytes of a binary protocol", answer: ending("\u0000\u0001\u0002\u0003"), ...GARBAGE },
  { title: "a TLS alert", answer: ending("\u0015\u0003\u0001\u0000\u0002\u0002\u0028"), ...GARBAGE },
  {
    title: "an interim response with a body",
    answer: ending("HTTP/1.1 199 Low\r\nContent-Length: 1\r\n\r\na"),
    ...GARBAGE,
  },
  {
    title: "a response in HTTP/9.9",
    answer: ending("HTTP/9.9 200 OK\r\nContent-Length: 1\r\n\r\na"),
    ...tolerated(
      "Node's lenient parser accepts any version",
      '200 OK\n← at http://origin/\n← content-length: 1\n← body "a"\n← end of body',
    ),
  },
  {
    title: "a field without a colon",
    answer: ending("HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 0\r\n\r\n"),
    ...GARBAGE,
  },
  {
    title: "a field with a NUL",
    answer: ending("HTTP/1.1 200 OK\r\nX-A: a\u0000b\r\nContent-Length: 0\r\n\r\n"),
    ...GARBAGE,
  },
  {
    title: "a field with a control character",
    answer: ending("HTTP/1.1 200 OK\r\nX-A: a\u0001b\r\nContent-Length: 1\r\n\r\na"),
  },
  {
    title: "a field with a DEL",
    answer: ending("HTTP/1.1 200 OK\r\nX-A: a\u007fb\r\nContent-Length: 1\r\n\r\na"),
  },
  {
    title: "a field with a bare carriage return",
    answer: ending("HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 1\r\n\r\na"),
    ...GARBAGE,
  },
  {
    title: "a folded field",
    answer: "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 1\r\n\r\na",
    ...tolerated(
      "Node's lenient parser unfolds it",
      '200 OK\n← at http://origin/\n← content-length: 1\n← x-a: a b\n← body "a"\n← end of body',
    ),
  },
  { title: "a blank before a colon", answer: "HTTP/1.1 200 OK\r\nX-A : a\r\nContent-Length: 1\r\n\r\na", ...GARBAGE },
  { title: "bare line feeds", answer: "HTTP/1.1 200 OK\nX-A: a\nContent-Length: 1\n\na" },
  { title: "empty lines before the response", answer: `\r\n\r\n${ok("a")}` },
  {
    title: "two Content-Lengths that differ",
    answer: ending("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ...GARBAGE,
  },
  {
    title: "two Content-Lengths that agree",
    answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    ...proxied("Node's parser refuses them", [
      '200 OK\n← at http://origin/\n← content-length: 1, 1\n← body "a"\n← end of body',
      thrown("http_protocol_error"),
    ]),
  },
  {
    title: "a Content-Length twice in one field",
    answer: ending("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello"),
    ...proxied("Node's parser refuses it", [
      '200 OK\n← at http://origin/\n← content-length: 5, 5\n← body "hello"\n← end of body',
      thrown("http_protocol_error"),
    ]),
  },
  {
    title: "an empty Transfer-Encoding",
    answer: ending("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\nhello"),
    ...proxiedAgain("Node's parser refuses it", [
      '200 OK\n← at http://origin/\n← body "hello"\n← end of body',
      thrown("http_protocol_error"),
    ]),
  },
  {
    title: "a Content-Length that isn't a number",
    answer: ending("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab"),
    ...GARBAGE,
  },
  {
    title: "a negative Content-Length",
    answer: ending("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab"),
    ...GARBAGE,
  },
  {
    title: "Content-Length and Transfer-Encoding",
    answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  },
  {
    title: "Transfer-Encoding: gzip, chunked",
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  },
  untilTheClose("identity", "chunked"),
  untilTheClose("gzip", "gzip, chunked"),
  untilTheClose("gzip, identity", "gzip, chunked"),
  untilTheClose("chunked, gzip", "chunked, gzip, chunked"),
  {
    title: "Transfer-Encoding: identity in HTTP/1.0",
    answer: ending("HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello"),
    ...tolerated(
      "Node's lenient parser takes what HTTP/1.0 does not have",
      '200 OK\n← at http://origin/\n← transfer-encoding: chunked\n← body "hello"\n← end of body',
    ),
  },
  {
    title: "Transfer-Encoding: identity of a 304",
    answer: "HTTP/1.1 304 Same\r\nTransfer-Encoding: identity\r\n\r\n",
    gets: ["304 Same"],
  },
  {
    title: "2 MiB of fields",
    answer: ending(`HTTP/1.1 200 OK\r\n${`X-A: ${"a".repeat(1000)}\r\n`.repeat(2100)}Content-Length: 0\r\n\r\n`),
    ...GARBAGE,
  },
];

/** Small bodies of known length, for which the runtime's own error stays. */
const INSIDE: readonly ParityCase[] = [
  {
    title: "a close in the middle of a body of known length",
    answer: ending("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"),
  },
  {
    title: "a reset in the middle of a body of known length, after the Worker has read so far",
    ask: readThenGo,
    answer: resettingOnGo("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart"),
    gets: ["200"],
  },
];

const BEHIND: readonly ParityCase[] = [
  {
    title: "bytes after the response",
    ask: [{ path: "/a" }, { path: "/b" }],
    answer: onceComplete(({ ordinal, send }) => send(ordinal === 1 ? `${ok("a")}rubbish` : ok("b"))),
    gets: ["200 OK", "200 OK"],
  },
  {
    title: "a second response after the first",
    ask: [{ path: "/a" }, { path: "/b" }],
    answer: onceComplete(({ ordinal, send }) => send(ordinal === 1 ? ok("a") + ok("forged") : ok("b"))),
    gets: ["200 OK", "200 OK"],
  },
  {
    title: "bytes after a 304",
    ask: [{ path: "/a" }, { path: "/b" }],
    answer: onceComplete(({ ordinal, send }) => send(ordinal === 1 ? "HTTP/1.1 304 Same\r\n\r\nrubbish" : ok("b"))),
    gets: ["304 Same", "200 OK"],
  },
];

/** Answers all requests but the second, which uses the connection of the first. */
function failingOnce(fail: (exchange: Exchange) => unknown): Answer {
  return onceComplete((exchange) => (exchange.ordinal === 2 ? fail(exchange) : exchange.send(ok("a"))));
}

const closingOnce = failingOnce(({ socket }) => socket.end());
const resettingOnce = failingOnce(({ socket }) => socket.resetAndDestroy());

const REPEATED = { ask: [{ path: "/a" }, { path: "/b" }, { path: "/c" }], gets: ["200 OK", "200 OK", "200 OK"] };

const [GONE] = failing("connection_terminated").deviates.egress;

const NOT_REPEATED = {
  ask: [{ path: "/a" }, { path: "/b", ...POST }, { path: "/c" }],
  gets: ["200 OK", LOST, "200 OK"],
  ...alwaysProxied(
    `${APART}; a VPC binding throws the code of the cause`,
    ...(GONE ? [GONE] : []),
    ["→ connection 1\n→ POST", "→ connection 2\n→ POST"],
    ["→ connection 2\n→ GET", "→ connection 1\n→ GET"],
  ),
} satisfies Partial<ParityCase>;

const REUSED: readonly ParityCase[] = [
  { title: "a close instead of a response to a GET on a reused connection", ...REPEATED, answer: closingOnce },
  { title: "a reset instead of a response to a GET on a reused connection", ...REPEATED, answer: resettingOnce },
  { title: "a close instead of a response to a POST on a reused connection", ...NOT_REPEATED, answer: closingOnce },
  { title: "a reset instead of a response to a POST on a reused connection", ...NOT_REPEATED, answer: resettingOnce },
];

export const FAULT_CASES: readonly ParityCase[] = [...BEFORE, ...MALFORMED, ...INSIDE, ...BEHIND, ...REUSED];
