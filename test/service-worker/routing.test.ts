/** Addresses and decisions: each case runs in Node and in workerd, where the code runs for users. */

import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { describe, expect, it } from "vitest";
import { addressCases } from "./address-cases.ts";
import { decideCases } from "./decide-cases.ts";
import { policyCases } from "./policy-cases.ts";

const tables = { address: addressCases, decide: decideCases, policies: policyCases };

const entry = `
import { addressCases } from "./address-cases.ts";
import { decideCases } from "./decide-cases.ts";
import { policyCases } from "./policy-cases.ts";
const run = (cases) => cases.map(({ actual }) => actual());
const answers = { address: run(addressCases), decide: run(decideCases), policies: run(policyCases) };
export default { fetch: () => Response.json(answers) };
`;

async function runInWorkerd(): Promise<Record<string, unknown[]>> {
  const bundle = await build({
    stdin: { contents: entry, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    format: "esm",
    write: false,
  });
  const contents = bundle.outputFiles[0]?.text ?? "";
  const miniflare = new Miniflare({
    workers: [
      {
        config: {
          name: "cases",
          compatibilityDate: "2025-11-01",
          manifest: { mainModule: "main.js", modules: { "main.js": { type: "esm", contents } } },
        },
      },
    ],
  });
  try {
    const response = await miniflare.dispatchFetch("http://cases/");
    return (await response.json()) as Record<string, unknown[]>;
  } finally {
    await miniflare.dispose();
  }
}

const inWorkerd = await runInWorkerd();

describe.each(Object.entries(tables))("%s", (table, cases) => {
  it.each(cases.map((row, index) => ({ ...row, index })))("$title", ({ actual, expected, index }) => {
    expect(actual(), "in Node").toEqual(expected);
    expect(inWorkerd[table]?.[index], "in workerd").toEqual(expected);
  });
});
