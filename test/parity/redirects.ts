/** Redirects (RFC 9110 §15.4): which are followed, with which request, and where to. */

import { ok } from "../servers/http-origin.ts";
import type { Answer } from "../servers/observed-origin.ts";
import { APART, type ParityCase, type Replacements, alwaysProxied, thrown } from "./case.ts";

const REDIRECT_INITS = [
  ["GET", { method: "GET" }],
  ["POST", { method: "POST", body: "abc", headers: { "X-A": "b", Authorization: "c" } }],
] as const;

/** @param location `HOST` is replaced by the case's host and port, and `http:` by the scheme of the connection */
function redirect(status: number, location = "/new"): Answer {
  return async ({ request, ordinal, ended, socket, send }) => {
    const host = /^host: (.*)\r$/im.exec(request.head)?.[1] ?? "";
    const to = location.replace("HOST", host).replace("http:", "encrypted" in socket ? "https:" : "http:");
    await ended;
    send(ordinal === 1 ? `HTTP/1.1 ${status} Moved\r\nLocation: ${to}\r\nContent-Length: 3\r\n\r\nold` : ok("new"));
  };
}

const FTP_REFUSED: Replacements = [
  ['→ connection 1\n→ GET /new HTTP/1.1\n→ Host: origin\n→ body ""\n', ""],
  [
    '200 OK\n← at ftp://origin/new (redirected)\n← content-length: 3\n← body "new"\n← end of body',
    thrown("http_request_denied"),
  ],
];

const THEN_GET: Pick<ParityCase, "deviates"> = {
  deviates: { direct: [["→ connection 1\n→ GET /new", "→ connection 2\n→ GET /new"]], reason: APART },
};

/** The real destination is dialled, or a certificate is checked, which another host has for itself. */
const ELSEWHERE: Pick<ParityCase, "deviates"> = {
  deviates: {
    rest: [["→ connection 1\n→ GET /new", "→ connection 2\n→ GET /new"]],
    native: [["→ connection 1\n→ GET /new", "→ connection 2\n→ GET /new"]],
    reason: "another host has a connection of its own with TLS, and if calls pass through",
  },
};

const THEN_POST = alwaysProxied(APART, ["→ connection 1\n→ POST /new", "→ connection 2\n→ POST /new"]);

export const REDIRECT_CASES: readonly ParityCase[] = [
  ...[301, 302, 303, 307, 308].flatMap((status) =>
    REDIRECT_INITS.map(([method, init]) => {
      const row: ParityCase = {
        title: `${method} follows a ${status}`,
        ask: { path: "/old", init },
        answer: redirect(status),
      };
      return method === "POST" ? Object.assign(row, status < 307 ? THEN_GET : THEN_POST) : row;
    }),
  ),
  ...[301, 303, 307].map((status) => ({
    title: `POST with redirect: "manual" shows a ${status}`,
    ask: { path: "/old", init: { method: "POST", body: "abc", redirect: "manual" } },
    answer: redirect(status),
    gets: [`${status} Moved`],
  })),
  {
    title: "follows a relative Location with a query and a fragment",
    ask: { path: "/a/b?c" },
    answer: redirect(302, "../d?e#f"),
  },
  { title: "a Location beyond ASCII", ask: { path: "/" }, answer: redirect(302, "/na\u00c3\u00afve a") },
  {
    title: "a streamed body can't follow a 307",
    ask: ({ fetch, see }) =>
      see(fetch("/", { method: "POST", body: new Response("abc").body!.pipeThrough(new TransformStream()) })),
    answer: redirect(307),
    gets: ["threw TypeError: A request with a one-time-use body"],
  },
  {
    title: "to another host",
    ask: { path: "/old", init: { headers: { Authorization: "a", Cookie: "b=c", "X-A": "d" } } },
    answer: redirect(302, "http://other-HOST/new"),
    ...ELSEWHERE,
  },
  {
    title: "to another host, with a body",
    ask: { path: "/old", init: { method: "POST", body: "abc" } },
    answer: redirect(307, "http://other-HOST/new"),
    ...THEN_POST,
  },
  { title: "to a Location without a scheme", answer: redirect(302, "//other-HOST/new"), ...ELSEWHERE },
  {
    title: "to a scheme other than http and https",
    answer: redirect(302, "ftp://HOST/new"),
    deviates: {
      direct: FTP_REFUSED,
      egress: FTP_REFUSED,
      reason: "a VPC binding serves http: and https: only",
    },
  },
  {
    title: "PUT follows a 303",
    ask: { init: { method: "PUT", body: "abc" } },
    answer: redirect(303),
    ...THEN_GET,
  },
  { title: "DELETE follows a 302", ask: { init: { method: "DELETE" } }, answer: redirect(302) },
  {
    title: 'redirect: "error"',
    ask: { init: { redirect: "error" } },
    answer: redirect(302),
    gets: ["threw TypeError"],
  },
  { title: "a 300 is not followed", answer: redirect(300), gets: ["300 Moved"] },
  { title: "a 305 is not followed", answer: redirect(305), gets: ["305 Moved"] },
  {
    title: "a redirect without a Location",
    answer: "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    gets: ["302 Found"],
  },
  {
    title: "a circle of redirects",
    answer: "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
    gets: ["threw TypeError: Too many redirects"],
  },
];
