/** The README's table of errors and its config examples are the code's own. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "jsonc-parser";
import { expect, it } from "vitest";
import { loadSession } from "../plugin/load.ts";
import { PROXY_ERRORS } from "../service-worker/proxy-error.ts";
import { SERVICE, TUNNEL } from "./session.ts";

const readme = readFileSync(path.join(import.meta.dirname, "../README.md"), "utf8");

it("lists every error code with its group, its meaning and what to do", () => {
  const rows = readme.split("\n").filter((line) => /^\| `[a-z_]+`/.test(line));
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  for (const [code, { group, summary, hint }] of Object.entries(PROXY_ERRORS)) {
    expect(cells).toContainEqual(["", `\`${code}\``, group, summary, hint, ""]);
  }
});

it("shows a first vpc.jsonc that works", async () => {
  const [, example = ""] = /```jsonc\n(\/\/ vpc\.jsonc[^]*?)```/.exec(readme) ?? [];
  const session = await loadSession({
    workers: [
      {
        workerName: "app",
        rootPath: undefined,
        bindings: [
          { bindingName: "USERS", bindingType: "vpc-service", id: SERVICE },
          { bindingName: "PRIVATE", bindingType: "vpc-network", id: TUNNEL },
        ],
      },
    ],
    source: parse(example),
    env: undefined,
    generation: 1,
  });
  expect(session.diagnostics).toEqual([]);
  expect(session.table.bindings["app/USERS"]).toMatchObject({ kind: "service" });
  expect(session.table.bindings["app/PRIVATE"]).toMatchObject({ kind: "network" });
});
