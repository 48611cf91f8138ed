/** What is remembered of one request decides no other: whatever URLs have in common, and however a Worker writes them. */

import { describe, expect, test } from "vitest";

import { planFor } from "../service-worker/plan.ts";
import { indexTable } from "../service-worker/route-index.ts";
import type { Route } from "../service-worker/table.ts";
import { ok, startHttpOrigin } from "./servers/http-origin.ts";
import { networkTable } from "./session-table.ts";
import { type Operation, TUNNEL, startSession } from "./session.ts";

const OTHER_TUNNEL = "0f3c8d4e-7b1a-4c57-9e58-2a6d1f0b9c33";
const DENIED = "ProxyError: destination_ip_prohibited";

/** Begin as an open URL does, or as one another, and lead elsewhere; an older platform takes some for no URL at all. */
const DENIED_URLS = [
  "http://open.internal@blocked.internal/",
  "http://open.internal:80@blocked.internal/",
  "http://open.internal%2f@blocked.internal/",
  "http://user:http://open.internal@blocked.internal/",
  "http:///blocked.internal/",
  "http:////blocked.internal/",
  "http:blocked.internal/",
  "http:\\\\blocked.internal\\",
  "http://\t/blocked.internal/",
  "http://\n/blocked.internal/",
  "http://\t\\blocked.internal/",
  "HTTP://BLOCKED.internal/",
  "http://blocked.internal./",
  "http://blocked.internal:080/",
  "http://blocked.internal:/",
  "http://blo\tcked.internal/",
  "http://blocked.internal?open.internal",
  "http://blocked.internal#@open.internal",
  "http://10.9.1/",
  "http://0xa.9.0.1/",
  "http://[::ffff:10.9.0.1]/",
  // The port is another's, and so is the scheme.
  "http://open.internal:8080/",
  "https://open.internal/",
];

/** The same, but open. */
const OPEN_URLS = [
  "http://open.internal/",
  "http://open.internal",
  "http://open.internal?x",
  "http://open.internal#@blocked.internal",
  "http://open.internal/@blocked.internal",
  "http://open.internal?@blocked.internal/",
  "http://blocked.internal@open.internal/",
  "http://\t/open.internal/",
  "http://open.internal:80/",
  "http://open.internal.:080/",
];

/** Every way to hand a URL to a binding. */
const ops: Record<string, Operation> = {
  async ask({ NET, OTHER }, [bindingName, url]: [string, string]) {
    const binding = bindingName === "OTHER" ? OTHER : NET;
    const ways = [
      () => binding.fetch(url),
      () => binding.fetch(new Request(url)),
      () => binding.fetch(new URL(url)),
      // Keeps an open plan in memory between the others.
      () => binding.fetch("http://open.internal/"),
    ];
    const answers: string[] = [];
    for (const way of ways) {
      try {
        answers.push(await (await way()).text());
      } catch (error) {
        answers.push((error as Error).message);
      }
    }
    return answers;
  },
};

describe.each(["2021-01-01", "2022-10-01", "2024-01-01", "2026-11-01"])("a Worker of %s", (compatibilityDate) => {
  test("reaches what is open in any order, and what is denied in none", async () => {
    await using origin = await startHttpOrigin(ok("reached"));
    await using other = await startHttpOrigin(ok("the other's"));
    const denied = { deny: "destination_ip_prohibited" } as const;
    const target = `127.0.0.1:${origin.port}`;
    await using session = await startSession({
      compatibilityDate,
      env: {
        NET: { type: "vpc-network", tunnelId: TUNNEL },
        OTHER: { type: "vpc-network", tunnelId: OTHER_TUNNEL },
      },
      config: {
        networks: {
          [TUNNEL]: {
            routes: {
              "open.internal:80": target,
              "open.internal:443": denied,
              "open.internal:8080": denied,
              "blocked.internal": denied,
              "10.9.0.0/16": denied,
            },
          },
          [OTHER_TUNNEL]: { routes: { "blocked.internal": `127.0.0.1:${other.port}`, "open.internal": denied } },
        },
        traffic: false,
      },
      ops,
    });
    for (const round of [1, 2]) {
      for (const url of OPEN_URLS) {
        const [first, ...rest] = await session.call<string[]>("ask", ["NET", url]);
        expect
          .soft([round, url, first])
          .toEqual([round, url, expect.stringMatching(/^reached$|Invalid URL|cannot load/)]);
        expect.soft(rest.at(-1)).toBe("reached");
      }
      for (const url of DENIED_URLS) {
        const answers = (await session.call<string[]>("ask", ["NET", url])).slice(0, -1);
        for (const answer of answers) {
          expect.soft([url, answer]).toEqual([url, expect.stringMatching(/Invalid URL|cannot load|ip_prohibited$/)]);
        }
      }
      expect(await session.call("ask", ["OTHER", "http://blocked.internal/"])).toEqual([
        "the other's",
        "the other's",
        "the other's",
        DENIED,
      ]);
    }
  });
});

test("not even where a parser would take the host from the path", () => {
  const routes = ["open.internal", "blocked.internal"].map((name): Route => {
    const target = { type: "unix", path: `/${name}` } as const;
    return { text: name, match: { type: "name", name }, target, origin: "" };
  });
  const index = indexTable(networkTable({ B: routes }));
  for (const gap of ["\t", "\n", "\r", "\t\t", "/", "\\", ""]) {
    for (const name of ["open.internal", "blocked.internal", "open.internal"]) {
      const { decision } = planFor(`http://${gap}/${name}/`, { index, bindingId: "app/B" });
      expect([gap, decision]).toEqual([gap, expect.objectContaining({ to: { type: "unix", path: `/${name}` } })]);
    }
  }
});
