/** A remembered decision never applies to another URL, even if both begin the same or have an unusual spelling. */

import { describe, expect, test } from "vitest";

import { decideOrigin } from "../../service-worker/fetch/decision-cache.ts";
import { indexTable } from "../../service-worker/routing/route-index.ts";
import type { Route } from "../../service-worker/routing/table.ts";
import { ok, startHttpOrigin } from "../servers/http-origin.ts";
import { networkTable } from "../setup/network-table.ts";
import { type Operation, TUNNEL, startTestWorker, type VpcFetcher } from "../setup/test-worker.ts";

const OTHER_TUNNEL = "0f3c8d4e-7b1a-4c57-9e58-2a6d1f0b9c33";
const DENIED = "ProxyError: destination_ip_prohibited";

/** They begin like an open URL or like each other, and lead elsewhere. Older platforms refuse some of them. */
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
  // Another port or scheme.
  "http://open.internal:8080/",
  "https://open.internal/",
];

/** Similar URLs that are open. */
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

/** Every way to pass a URL to a binding. */
const ops: Record<string, Operation<Record<"NET" | "OTHER", VpcFetcher>>> = {
  async ask({ NET, OTHER }, [bindingName, url]: [string, string]) {
    const binding = bindingName === "OTHER" ? OTHER : NET;
    const ways = [
      () => binding.fetch(url),
      () => binding.fetch(new Request(url)),
      () => binding.fetch(new URL(url)),
      // Keeps an allowed decision in memory between the others.
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
  test("reaches open hosts and never denied ones, in any order", { timeout: 120_000 }, async () => {
    await using origin = await startHttpOrigin(ok("reached"));
    await using other = await startHttpOrigin(ok("the other's"));
    const denied = { deny: "destination_ip_prohibited" } as const;
    const target = `127.0.0.1:${origin.port}`;
    await using worker = await startTestWorker({
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
        const [first, ...rest] = await worker.call<string[]>("ask", ["NET", url]);
        expect
          .soft([round, url, first])
          .toEqual([round, url, expect.stringMatching(/^reached$|Invalid URL|cannot load/)]);
        expect.soft(rest.at(-1)).toBe("reached");
      }
      for (const url of DENIED_URLS) {
        const answers = (await worker.call<string[]>("ask", ["NET", url])).slice(0, -1);
        for (const answer of answers) {
          expect.soft([url, answer]).toEqual([url, expect.stringMatching(/Invalid URL|cannot load|ip_prohibited$/)]);
        }
      }
      expect(await worker.call("ask", ["OTHER", "http://blocked.internal/"])).toEqual([
        "the other's",
        "the other's",
        "the other's",
        DENIED,
      ]);
    }
  });
});

test("a URL whose host looks like a path is decided by its host", () => {
  const routes = ["open.internal", "blocked.internal"].map((name): Route => {
    const target = { type: "unix", path: `/${name}` } as const;
    return { text: name, match: { type: "name", name }, target, origin: "" };
  });
  const index = indexTable(networkTable({ B: routes }));
  for (const gap of ["\t", "\n", "\r", "\t\t", "/", "\\", ""]) {
    for (const name of ["open.internal", "blocked.internal", "open.internal"]) {
      const { decision } = decideOrigin(`http://${gap}/${name}/`, { index, bindingId: "app/B" });
      expect([gap, decision]).toEqual([gap, expect.objectContaining({ to: { type: "unix", path: `/${name}` } })]);
    }
  }
});
