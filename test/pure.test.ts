/** The pure files, each case in Node and once more inside workerd, where they run for users. */

import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { describe, expect, it } from "vitest";
import { addressCases } from "./cases/address.ts";
import { decideCases } from "./cases/decide.ts";

const tables = { address: addressCases, decide: decideCases };

const entry = `
import { addressCases } from "./cases/address.ts";
import { decideCases } from "./cases/decide.ts";
const run = (cases) => cases.map(({ actual }) => actual());
export default { fetch: () => Response.json({ address: run(addressCases), decide: run(decideCases) }) };
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
