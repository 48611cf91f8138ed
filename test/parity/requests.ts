/** Requests: methods, targets, header fields. */

import { type ParityCase, type Replacements, alwaysProxied, proxied, thrown } from "./case.ts";

const METHODS: readonly ParityCase[] = [
  { title: "GET adds no field" },
  ...["OPTIONS", "DELETE", "POST", "PUT", "PATCH"].map((method) => ({
    title: `${method} without a body`,
    ask: { init: { method } },
  })),
  ...["POST", "PUT", "DELETE", "OPTIONS"].map((method) => ({
    title: `${method} with an empty body`,
    ask: { init: { method, body: "" } },
  })),
  { title: "DELETE with a body", ask: { init: { method: "DELETE", body: "gone" } } },
  { title: "HEAD", ask: { init: { method: "HEAD" } }, answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" },
  ...["PROPFIND", "MKCOL", "PURGE", "QUERY", "REPORT", "LOCK", "TRACE"].map((method) => ({
    title: `the method ${method}`,
    ask: { init: { method } },
  })),
  ...["FOO", "M-SEARCH"].map((method) => ({
    title: `the unknown method ${method}`,
    ask: { init: { method } },
    gets: [`threw TypeError: Invalid HTTP method string: ${method}`],
  })),
  {
    title: "the method CONNECT, which fetch refuses",
    ask: { init: { method: "CONNECT" } },
    gets: ["threw TypeError: "],
  },
  { title: "a method in lower case", ask: { init: { method: "patch", body: "a" } } },
];

const TOO_LONG: Replacements = [["threw Error: internal error; reference = …", thrown("http_request_error")]];

const TARGETS: readonly ParityCase[] = [
  { title: "percent-encodings as they are", ask: { path: "/a%2Fb%20c%zz%C3%A9/%2e%2e/d" } },
  { title: "characters that need no encoding", ask: { path: "/a!$&'()*+,;=:@-._~|^[]`{}\"<>/b" } },
  { title: "characters beyond ASCII", ask: { path: "/naïve/日本?q=ü&r=€" } },
  { title: "dot segments and double slashes", ask: { path: "//a/./b/../c//d/" } },
  { title: "a backslash", ask: { path: "/a\\b?c\\d" } },
  { title: "an empty query", ask: { path: "/a?" } },
  { title: "special characters in a query", ask: { path: "/?a=b&a=&&=c&d=%20+%2B/?:@'\"<>`{}|^[]" } },
  { title: "a fragment", ask: { path: "/a?b#c" } },
  { title: "tabs and spaces", ask: { path: "/a b\tc?d e" } },
  { title: "a query without a path", ask: { path: "?a" } },
  { title: "a target of 60 KiB", ask: { path: `/${"a".repeat(30 * 1024)}?${"b".repeat(30 * 1024)}` } },
  {
    title: "a target of 100 KiB",
    ask: { path: `/${"a".repeat(100 * 1024)}` },
    gets: ["threw Error: internal error; reference = "],
    deviates: {
      direct: TOO_LONG,
      egress: TOO_LONG,
      reason: "workerd can't send it, and a VPC binding reports that",
    },
  },
];

const HOSTS: readonly ParityCase[] = [
  { title: "a host in upper case", ask: { path: "http://OTHER-HOST/" } },
  { title: "a user and a password in the URL", ask: { path: "http://user:p%40ss@HOST/" } },
  { title: "a Host field that the Worker sets", ask: { init: { headers: { Host: "elsewhere.example:1" } } } },
];

const FIELDS: readonly ParityCase[] = [
  {
    title: "the case and order of fields",
    ask: {
      init: {
        headers: [
          ["X-b", "1"],
          ["aCCept", "*/*"],
          ["x-A", "2"],
          ["USER-AGENT", "me"],
        ],
      },
    },
  },
  {
    title: "duplicate fields",
    ask: {
      init: {
        headers: [
          ["X-A", "1"],
          ["x-b", "2"],
          ["x-a", "3"],
        ],
      },
    },
  },
  {
    title: "an empty value",
    ask: { init: { headers: { "X-Empty": "", "X-Full": "a" } } },
    ...proxied("Node writes a space after every colon", ["X-Empty:\n", "X-Empty: \n"]),
  },
  { title: "spaces around and inside a value", ask: { init: { headers: { "X-Blank": " \t a \t b  " } } } },
  { title: "a value beyond ASCII", ask: { init: { headers: { "X-Latin": "na\u00efve \u00ff", "X-Wide": "\u20ac" } } } },
  { title: "a value with control characters", ask: { init: { headers: { "X-Control": "a\u0001b\u007fc" } } } },
  {
    title: "unusual field names",
    ask: { init: { headers: { "X-!#$%&'*+-.^_`|~1": "a", 1: "b" } } },
    ...proxied("Node writes numeric names first", ["→ Host: origin\n→ 1: b\n", "→ 1: b\n→ Host: origin\n"]),
  },
  { title: "300 KiB in one field", ask: { init: { headers: { "X-Long": "a".repeat(300 * 1024) } } } },
  {
    title: "300 KiB in 3000 fields",
    ask: {
      init: { headers: Array.from({ length: 3000 }, (_, index) => [`X-Many-${index}`, "a".repeat(90)]) },
    },
  },
  {
    title: "several Cookie fields",
    ask: {
      init: {
        headers: [
          ["Cookie", "a=1"],
          ["cookie", 'b=2; c="3"'],
        ],
      },
    },
  },
  { title: "Authorization", ask: { init: { headers: { Authorization: "Basic YTpi" } } } },
  { title: "Accept-Encoding that the Worker sets", ask: { init: { headers: { "accept-encoding": "br;q=1, zstd" } } } },
  {
    title: "conditional and range fields",
    ask: {
      init: {
        headers: { "If-None-Match": '"a", W/"b"', "If-Modified-Since": "x", Range: "bytes=0-1,5-", "If-Range": '"a"' },
      },
    },
  },
  {
    title: "Date, Via, Forwarded and X-Forwarded-*",
    ask: {
      init: {
        headers: {
          Date: "x",
          Via: "1.0 a",
          Forwarded: "for=a",
          "X-Forwarded-For": "1.2.3.4",
          "X-Forwarded-Proto": "https",
        },
      },
    },
  },
  {
    title: "CF-* fields",
    ask: { init: { headers: { "CF-Connecting-IP": "1.2.3.4", "CF-Ray": "a", "CF-Worker": "b" } } },
  },
];

const HOP_BY_HOP: readonly ParityCase[] = [
  { title: "Connection: close", ask: { init: { headers: { Connection: "close" } } } },
  {
    title: "Connection: keep-alive and Keep-Alive",
    ask: {
      init: { headers: { Connection: "keep-alive", "Keep-Alive": "timeout=5" } },
    },
  },
  {
    title: "a Connection field that names another field",
    ask: { init: { headers: { Connection: "X-Hop", "X-Hop": "a" } } },
  },
  { title: "TE and Trailer", ask: { init: { headers: { TE: "trailers, deflate", Trailer: "X-End" } } } },
  {
    title: "Trailer on a streamed body",
    ask: ({ fetch, see }) =>
      see(
        fetch("/", {
          method: "POST",
          headers: { Trailer: "X-End" },
          body: new Response("a").body!.pipeThrough(new TransformStream()),
        }),
      ),
  },
  {
    title: "Upgrade to another protocol",
    ask: {
      init: { headers: { Connection: "Upgrade", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABk" } },
    },
  },
  { title: "Upgrade without Connection", ask: { init: { headers: { Upgrade: "foo/1" } } } },
  {
    title: "Proxy-Connection, Proxy-Authorization and Proxy-Authenticate",
    ask: {
      init: {
        headers: {
          "Proxy-Connection": "keep-alive",
          "Proxy-Authorization": "Basic YTpi",
          "Proxy-Authenticate": "Basic",
        },
      },
    },
  },
  ...["chunked", "gzip, chunked", "identity", "CHUNKED"].map((coding) => ({
    title: `Transfer-Encoding: ${coding} that the Worker sets`,
    ask: {
      init: { method: "POST", headers: { "Transfer-Encoding": coding }, body: "abc" },
    },
  })),
  { title: "Transfer-Encoding on a GET", ask: { init: { headers: { "Transfer-Encoding": "chunked" } } } },
  {
    title: "a wrong Content-Length",
    ask: { init: { method: "POST", headers: { "Content-Length": "1" }, body: "abc" } },
  },
  { title: "Content-Length on a GET", ask: { init: { headers: { "Content-Length": "3" } } } },
  {
    title: "an unknown Expect",
    ask: { init: { method: "POST", headers: { Expect: "miracles" }, body: "a" } },
    ...alwaysProxied("Node adds the field to the response to an Expect", [
      "← content-length",
      "← connection: keep-alive\n← content-length",
    ]),
  },
];

const ORDER = '{"op":"probe","target":{"type":"address","host":"127.0.0.1","port":1},"connectTimeout":1}';

const PRIVATE: readonly ParityCase[] = [
  {
    title: "fields with the names of our private ones",
    ask: {
      init: {
        headers: {
          "x-miniflare-vpc-order": ORDER,
          "X-Miniflare-VPC-Secret": "guess",
          "x-miniflare-vpc-failure": "{}",
          "x-miniflare-vpc-other": "a",
          "MF-Route": "a",
        },
      },
    },
    ...proxied(
      "the service worker uses these names for its own fields",
      ["→ x-miniflare-vpc-secret: guess\n", ""],
      [`→ x-miniflare-vpc-order: ${ORDER}\n`, ""],
    ),
  },
  { title: "cf that the Worker sets", ask: { init: { cf: { op: "probe", cacheTtl: 5 } } } },
];

export const REQUEST_CASES: readonly ParityCase[] = [
  ...METHODS,
  ...TARGETS,
  ...HOSTS,
  ...FIELDS,
  ...HOP_BY_HOP,
  ...PRIVATE,
];
