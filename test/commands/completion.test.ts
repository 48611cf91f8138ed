/** What a shell is offered, and by which script. */

import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import path from "node:path";

import { beforeAll, describe, expect, test } from "vitest";

import { type Offer, completeWords } from "../../plugin/commands/complete.ts";
import { commands } from "../../plugin/commands/commands.ts";
import { MINIFLARE_VPC } from "../wrangler/run.ts";
import { type CallFolder, createCallFolder } from "./call.ts";

const files = {
  "wrangler.json": JSON.stringify({
    name: "api",
    vpc_services: [{ binding: "USERS", service_id: "u" }],
    vpc_networks: [{ binding: "NET", tunnel_id: "t" }],
    env: { staging: { vpc_services: [{ binding: "ORDERS", service_id: "o" }] }, production: {} },
  }),
  "jobs/wrangler.toml": 'name = "jobs"\n[[vpc_services]]\nbinding = "JOBS"\nservice_id = "j"\n',
};

function offered(vpc: CallFolder, words: string[]): string[] | "files" {
  const offers: readonly Offer[] | "files" = completeWords(words, { commands, cwd: vpc.folder });
  return offers === "files" ? offers : offers.map(({ word }) => word);
}

const FLAGS = ["--config", "--env", "--worker", "--json", "--help"];
const NAMES = commands.map(({ name }) => name);

test.each<[string[], string[] | "files"]>([
  [[""], NAMES],
  [["ex"], ["explain"]],
  [["--v"], ["--version"]],
  [["help", ""], NAMES],
  [["nothing", ""], []],
  [["dev", ""], "files"],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["completion", "bash", ""], []],
  [
    ["explain", ""],
    ["USERS", "NET", "ORDERS"],
  ],
  [["explain", "U"], ["USERS"]],
  [["explain", "--json", "U"], ["USERS"]],
  [["explain", "-c", "jobs/wrangler.toml", ""], ["JOBS"]],
  [["explain", "--config=jobs/wrangler.toml", ""], ["JOBS"]],
  [["explain", "--config", "=", "jobs/wrangler.toml", ""], ["JOBS"]],
  [["explain", "-c", "none.toml", ""], []],
  [["explain", "NET", ""], []],
  [["explain", "--"], FLAGS],
  [["explain", "--json", "-c", "a", "--"], FLAGS.filter((flag) => flag !== "--json")],
  [
    ["explain", "--env", ""],
    ["staging", "production"],
  ],
  [["explain", "-e", "s"], ["staging"]],
  [
    ["explain", "--worker", ""],
    ["api", "api-staging", "api-production"],
  ],
  [["explain", "--config", ""], "files"],
  [
    ["check", "--format", "="],
    ["text", "github"],
  ],
  [["check", "--format", "=", "g"], ["github"]],
  [["check", "--format=g"], ["--format=github"]],
  [["check", "--unknown=g"], []],
  [["check", "--json=g"], []],
])("%j", async (words, expected) => {
  await using vpc = await createCallFolder(files);
  expect(offered(vpc, words)).toEqual(expected);
});

test("without a wrangler config no names are offered, and nothing fails", async () => {
  await using vpc = await createCallFolder({});
  expect(offered(vpc, ["explain", ""])).toEqual([]);
});

test("the scripts' question is answered with a word and its meaning a line", async () => {
  await using vpc = await createCallFolder(files);
  expect((await vpc.call("__complete -- explain N")).out).toEqual(["NET\tVPC Network"]);
  expect((await vpc.call('__complete -- check -c ""')).out).toEqual([":files"]);
});

test.each([
  ["bash", "complete -F _miniflare_vpc miniflare-vpc"],
  ["zsh", "  compdef _miniflare_vpc miniflare-vpc"],
  ["fish", "complete -c miniflare-vpc -f -a '(__miniflare_vpc_complete)'"],
])("%s has a script", async (shell, line) => {
  await using vpc = await createCallFolder({});
  const { exit, out } = await vpc.call(`completion ${shell}`);
  expect(exit).toBe(0);
  expect(out).toContain(line);
});

test("another shell has none", async () => {
  await using vpc = await createCallFolder({});
  expect(await vpc.call("completion fisch")).toEqual({
    exit: 2,
    out: [],
    err: ['miniflare-vpc completion: <shell> can\'t be "fisch". Did you mean "fish"?'],
  });
});

/** What bash does when the tab key is pressed. */
function pressTab(words: string): string {
  return `source completion.bash; COMP_WORDS=(miniflare-vpc ${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _miniflare_vpc; printf '%s\\n' "\${COMPREPLY[@]}"`;
}

describe("in bash itself", () => {
  let script: string[];

  beforeAll(async () => {
    await using vpc = await createCallFolder({});
    script = (await vpc.call("completion bash")).out;
  });

  test.each([
    ["ex", "explain\n"],
    ["explain ''", "USERS\nNET\nORDERS\n"],
    ["check --format = g", "github\n"],
    ["nothing ''", "\n"],
  ])("miniflare-vpc %s", async (words, expected) => {
    await using vpc = await createCallFolder({
      ...files,
      "completion.bash": script.join("\n"),
      "bin/miniflare-vpc": `#!/bin/sh\nexec "${process.execPath}" "${MINIFLARE_VPC}" "$@"\n`,
    });
    const bin = path.join(vpc.folder, "bin");
    chmodSync(path.join(bin, "miniflare-vpc"), 0o755);
    const { stdout, stderr } = spawnSync("bash", ["--norc", "--noprofile", "-c", pressTab(words)], {
      cwd: vpc.folder,
      env: { PATH: `${bin}:${process.env["PATH"]}` },
      encoding: "utf8",
    });
    expect([stdout, stderr]).toEqual([expected, ""]);
  });
});
