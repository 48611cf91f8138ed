/** Valid but unusual responses: statuses, fields, framing, codings. */

import { brotliCompressSync, gzipSync } from "node:zlib";
import { ok } from "../servers/http-origin.ts";
import type { Answer } from "../servers/observed-origin.ts";
import { type ParityCase, proxied, proxiedAgain } from "./case.ts";

const STATUSES: readonly ParityCase[] = [
  ...["201 Created", "202 ", "299 Odd", "400 Bad", "418 I'm a teapot", "429 Too Many", "500 No", "599 Far"].map(
    (status) => ({
      title: `status ${status}`,
      answer: `HTTP/1.1 ${status}\r\nContent-Length: 1\r\n\r\na`,
      gets: [status],
    }),
  ),
  {
    title: "a status without a reason and without the space before it",
    answer: "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na",
    gets: ["200 "],
  },
  { title: "a reason beyond ASCII", answer: "HTTP/1.1 200 na\u00efve\r\nContent-Length: 1\r\n\r\na", gets: ["200 "] },
  ...["204 No Content", "304 Not Modified"].map((status) => ({
    title: `${status}, with fields`,
    answer: `HTTP/1.1 ${status}\r\nETag: "a"\r\n\r\n`,
    gets: [status],
  })),
  {
    title: "304 with a Content-Length",
    answer: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n',
    gets: ["304 Not Modified"],
  },
  {
    title: "204 with Content-Length: 0",
    answer: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    gets: ["204 No Content"],
  },
  { title: "205", answer: "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", gets: ["205 Reset"] },
  {
    title: "206 with a Content-Range",
    answer: "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/5\r\nContent-Length: 1\r\n\r\na",
    gets: ["206 Partial Content"],
  },
  {
    title: "HEAD with Transfer-Encoding",
    ask: { init: { method: "HEAD" } },
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  },
  { title: "HEAD without a length", ask: { init: { method: "HEAD" } }, answer: "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n" },
  {
    title: "HEAD with gzip",
    ask: { init: { method: "HEAD" } },
    answer: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n",
  },
  { title: "103 before the response", answer: `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok("a")}` },
  {
    title: "100 and 102 without a request for them",
    answer: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX-A: b\r\n\r\n${ok("a")}`,
  },
];

const ODD_STATUSES: readonly ParityCase[] = [
  ...["600 High", "999 Highest"].map((status) => ({
    title: `status ${status}`,
    answer: `HTTP/1.1 ${status}\r\nContent-Length: 1\r\n\r\na`,
    gets: [status],
  })),
  { title: "bytes after a 204", answer: "HTTP/1.1 204 None\r\nContent-Length: 1\r\n\r\na", gets: ["204 None"] },
  {
    title: "304 with Transfer-Encoding",
    answer: "HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n",
    gets: ["304 Same"],
  },
];

const FIELDS: readonly ParityCase[] = [
  { title: "only a Content-Length", answer: ok("a") },
  {
    title: "Date, Server, Via and Age",
    answer: "HTTP/1.1 200 OK\r\nServer: a\r\nDate: b\r\nVia: c\r\nAge: 1\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "duplicate and mixed-case fields",
    answer: "HTTP/1.1 200 OK\r\nX-a: 1\r\nVary: a\r\nx-A: 2\r\nvary: b\r\nX-A:3\r\ncOnTeNt-LeNgTh: 1\r\n\r\na",
  },
  {
    title: "several Set-Cookie",
    answer:
      "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/, x\r\nX-A: b\r\nset-cookie: b=2\r\nSet-Cookie:\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "several WWW-Authenticate and Link",
    answer:
      "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nWWW-Authenticate: Bearer a=b\r\nLink: </a>\r\nLink: </b>\r\nContent-Length: 1\r\n\r\na",
    gets: ["401 No"],
  },
  {
    title: "empty values and spaces",
    answer: "HTTP/1.1 200 OK\r\nX-A:\r\nX-B: \t a  b \t\r\nX-C:c\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "bytes beyond ASCII",
    answer: "HTTP/1.1 200 OK\r\nX-A: na\u00efve \u00ff\r\nX-B: na\u00c3\u00afve\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "unusual field names",
    answer: "HTTP/1.1 200 OK\r\nX-!#$%&'*+.^_`|~: a\r\n1: b\r\n__proto__: c\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "Content-Disposition beyond ASCII after the Content-Length",
    answer:
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Disposition: attachment; filename="na\u00efve.txt"\r\n\r\na',
  },
  {
    title: "300 KiB in one field",
    answer: `HTTP/1.1 200 OK\r\nX-Long: ${"a".repeat(300 * 1024)}\r\nContent-Length: 1\r\n\r\na`,
  },
  {
    title: "300 KiB in 3000 fields",
    answer: `HTTP/1.1 200 OK\r\n${Array.from({ length: 3000 }, (_, index) => `X-${index}: ${"a".repeat(90)}\r\n`).join("")}Content-Length: 1\r\n\r\na`,
  },
  {
    title: "hop-by-hop fields",
    answer:
      "HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: a\r\nKeep-Alive: timeout=5, max=9\r\nProxy-Authenticate: Basic\r\nProxy-Connection: keep-alive\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "Trailer on a body with a length",
    answer: "HTTP/1.1 200 OK\r\nTrailer: X-End\r\nContent-Length: 1\r\n\r\na",
    ...proxied("Node refuses the field on a body without chunks", ["← trailer: X-End\n", ""]),
  },
  {
    title: "an Upgrade field that is only an offer",
    answer: "HTTP/1.1 200 OK\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "CF-* fields",
    answer: "HTTP/1.1 200 OK\r\nCF-Ray: a\r\nCF-Cache-Status: HIT\r\nContent-Length: 1\r\n\r\na",
  },
  {
    title: "fields with the names of our private ones",
    answer:
      "HTTP/1.1 200 OK\r\nx-miniflare-vpc-order: a\r\nx-miniflare-vpc-secret: b\r\nX-Miniflare-VPC-Failure: {}\r\nContent-Length: 1\r\n\r\na",
    ...proxied("only the proxy may report a failure", ["← x-miniflare-vpc-failure: {}\n", ""]),
  },
];

const gzip = gzipSync("abc").toString("latin1");
const brotli = brotliCompressSync("abc").toString("latin1");

function coded(coding: string, body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** With chunks, workerd can distinguish the end of a body from a failure of the proxy. */
const REFRAMED = proxiedAgain("a body that ends with the connection is forwarded in chunks", [
  "← content-type: text/x\n",
  "← content-type: text/x\n← transfer-encoding: chunked\n",
]);

/** Begins a response, and ends it when "/go" is requested. */
function goingOn(): Answer {
  let goOn: () => void;
  return async ({ request, ended, send }) => {
    await ended;
    if (request.head.includes("/go")) {
      send(ok("going"));
      goOn();
      return;
    }
    send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    goOn = () => send("3\r\ntwo\r\n0\r\n\r\n");
  };
}

const BODIES: readonly ParityCase[] = [
  { title: "an empty body", answer: ok("") },
  {
    title: "chunks",
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n00A\r\n0123456789\r\n0\r\n\r\n",
  },
  {
    title: "chunks with extensions",
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\na\r\n1;c="d;e"\r\nb\r\n0;z\r\n\r\n',
  },
  { title: "only the last chunk", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
  {
    title: "trailers",
    answer: "HTTP/1.1 200 OK\r\nTrailer: X-End\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-End: b\r\n\r\n",
  },
  {
    title: "unannounced trailers",
    answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-End: b\r\nContent-Length: 5\r\n\r\n",
  },
  { title: "a Content-Length with leading zeros", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0001\r\n\r\na" },
  {
    title: "a response that continues after the Worker has read its beginning",
    ask: async ({ fetch, see }) => {
      const response = await fetch("/");
      const reader = response.body.getReader();
      const first = new TextDecoder().decode((await reader.read()).value);
      const seen = await see(fetch("/go"));
      const second = new TextDecoder().decode((await reader.read()).value);
      return [...seen, first, second, (await reader.read()).done ? "end of body" : "more"];
    },
    answer: goingOn(),
  },
  {
    title: "a response in single bytes",
    async answer({ ended, socket }) {
      socket.setNoDelay(true);
      await ended;
      for (const byte of ok("abc")) {
        await new Promise((resolve) => socket.write(byte, "latin1", resolve));
      }
    },
  },
  {
    title: "Transfer-Encoding in upper case",
    answer: "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
  },
  {
    title: "chunks of one byte",
    answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\na\r\n".repeat(3000)}0\r\n\r\n`,
  },
  {
    title: "a body that ends with the connection",
    answer: ({ ended, socket }) => ended.then(() => socket.end("HTTP/1.1 200 OK\r\nContent-Type: text/x\r\n\r\na")),
    ...REFRAMED,
  },
  {
    title: "HTTP/1.0 with a body that ends with the connection",
    answer: ({ ended, socket }) => ended.then(() => socket.end("HTTP/1.0 200 OK\r\nContent-Type: text/x\r\n\r\na")),
    ...REFRAMED,
  },
  { title: "HTTP/1.0 with a length", answer: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na" },
  { title: "gzip, decoded", answer: coded("gzip", gzip) },
  { title: "Brotli, decoded", answer: coded("br", brotli) },
  { title: "an unknown coding", answer: coded("zzz", "abc") },
  { title: "an identity coding", answer: coded("identity", "abc") },
  {
    title: "gzip in chunks",
    answer: `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n${gzip.length.toString(16)}\r\n${gzip}\r\n0\r\n\r\n`,
  },
  { title: "invalid gzip", answer: coded("gzip", "not gzip at all") },
  { title: "truncated gzip", answer: coded("gzip", gzip.slice(0, -6)) },
  { title: "16 MiB of known length", answer: ok("0123456789abcdef".repeat(1024 * 1024)) },
  {
    title: "16 MiB in chunks",
    answer: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${"0123456789abcdef".repeat(4096)}\r\n`.repeat(256)}0\r\n\r\n`,
  },
];

export const RESPONSE_CASES: readonly ParityCase[] = [...STATUSES, ...ODD_STATUSES, ...FIELDS, ...BODIES];
