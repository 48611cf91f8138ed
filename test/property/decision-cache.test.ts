/** A remembered decision never applies to another URL. Compares it with `decide` for random URLs. */

import * as fc from "fast-check";
import { expect, test } from "vitest";

import { decide } from "../../service-worker/routing/decide.ts";
import { decideOrigin } from "../../service-worker/fetch/decision-cache.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { Route, RouteMatch } from "../../service-worker/routing/table.ts";
import { destinationOf } from "../../service-worker/routing/transport.ts";
import { networkTable } from "../setup/network-table.ts";
import { DEADLINE, runs } from "./runs.ts";

const scheme = fc.constantFrom(
  "http://",
  "https://",
  "http:///",
  "https:///",
  "HTTP://",
  "http:\\\\",
  "http:",
  "ftp://",
);
const userInfo = fc.constantFrom("", "", "vault.internal@", "vault.internal:80@", "a%40b@", "a@b@");
const host = fc.constantFrom(
  "a.internal",
  "A.internal.",
  "vault.internal",
  "10.0.0.1",
  "0xa.1",
  "[::ffff:10.0.0.1]",
  "",
  "a.internal\tvault",
  "other",
);
const port = fc.constantFrom("", ":80", ":443", ":8080", ":");
const rest = fc
  .array(fc.constantFrom("/", "?", "#", "\\", "@vault.internal", "//vault.internal", ":80", "x", " ", "\n"), {
    maxLength: 4,
  })
  .map((parts) => parts.join(""));
const url = fc.tuple(scheme, userInfo, host, port, rest).map((parts) => parts.join(""));

function routesTo(hosts: readonly string[]): Route[] {
  return hosts.map((name, index): Route => ({
    text: name,
    match: matchOf(name),
    target: { type: "unix", path: `/${index}` },
    origin: `vpc.jsonc:${index}`,
  }));
}

function matchOf(name: string): RouteMatch {
  if (name === "*") return { type: "any" };
  return /^\d/.test(name) ? { type: "cidr", address: name, prefix: 32 } : { type: "name", name };
}

test("a remembered decision is the one of `decide` for the same URL", { timeout: DEADLINE }, () => {
  const tables = [["a.internal", "vault.internal", "10.0.0.1"], ["vault.internal"], ["vault.internal", "*"]].map(
    (hosts) => indexTable(networkTable({ ALL: routesTo(hosts), NONE: [] })),
  );
  const asked = fc.array(fc.tuple(url, fc.constantFrom("app/ALL", "app/NONE"), fc.constantFrom(...tables)), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(asked, (all) => {
      for (const [text, bindingId, index] of all) {
        if (!URL.canParse(text)) continue;
        const url = new URL(text);
        for (const written of [text, url.href]) {
          const decided = decideOrigin(written, { bindingId, index });
          expect(decided.decision).toEqual(decide(index, bindingId, destinationOf(url)));
          expect(decided.protocol).toBe(url.protocol);
        }
      }
    }),
    runs(2000),
  );
});
