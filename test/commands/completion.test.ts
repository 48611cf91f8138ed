/** The words that a shell offers, and the scripts that ask for them. */

import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import path from "node:path";

import { beforeAll, expect, test } from "vitest";

import { type Offer, completeWords } from "../../plugin/commands/complete.ts";
import { commands } from "../../plugin/commands/commands.ts";
import { MINIFLARE_VPC } from "../wrangler/run.ts";
import { type CallFolder, createCallFolder } from "./call.ts";
import { describeOn } from "../setup/only-on.ts";

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
  [["dev", "--port", ""], "files"],
  [
    ["dev", "--"],
    ["--config", "--env", "--local", "--remote", "--control", "--ui", "--no-ui", "--ui-port", "--record", "--help"],
  ],
  [["dev", "--loc"], ["--local"]],
  [["dev", "--persist-to", "x", "-c", ""], "files"],
  [
    ["dev", "--port", "8788", "--env", ""],
    ["staging", "production"],
  ],
  [
    ["completion", ""],
    ["bash", "zsh", "fish", "powershell"],
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

test("without a wrangler config, no names are offered and nothing fails", async () => {
  await using vpc = await createCallFolder({});
  expect(offered(vpc, ["explain", ""])).toEqual([]);
});

test("the scripts get one line per word, with its meaning", async () => {
  await using vpc = await createCallFolder(files);
  expect((await vpc.call("__complete -- explain N")).out).toEqual(["NET\tVPC Network"]);
  expect((await vpc.call('__complete -- check -c ""')).out).toEqual([":files"]);
});

test.each([
  ["bash", "  complete -F _miniflare_vpc miniflare-vpc"],
  ["zsh", "  compdef _miniflare_vpc miniflare-vpc"],
  ["powershell", "Register-ArgumentCompleter -Native -CommandName miniflare-vpc -ScriptBlock {"],
  ["fish", "complete -c miniflare-vpc -f -a '(__miniflare_vpc_complete)'"],
])("%s has a script", async (shell, line) => {
  await using vpc = await createCallFolder({});
  const { exit, out } = await vpc.call(`completion ${shell}`);
  expect(exit).toBe(0);
  expect(out).toContain(line);
});

test("there is no script for another shell", async () => {
  await using vpc = await createCallFolder({});
  expect(await vpc.call("completion fisch")).toEqual({
    exit: 2,
    out: [],
    err: ['miniflare-vpc completion: <shell> can\'t be "fisch". Did you mean "fish"?'],
  });
});

test.each([
  ["explain +N", ["NET\tVPC Network"]],
  ["explain +", ["USERS\tVPC Service", "NET\tVPC Network", "ORDERS\tVPC Service"]],
  ["+ex", ["explain\tshow where a request or connection of a Worker goes, step by step"]],
  ["check -c +", [":files"]],
])("a shell that drops empty words puts a character in front of the last one: %s", async (words, expected) => {
  await using vpc = await createCallFolder(files);
  expect((await vpc.call(`__complete --prefixed ${words}`)).out).toEqual(expected);
});

/** Does what bash does when the tab key is pressed. @param before commands that simulate another bash */
function pressTab(words: string, before: string): string {
  return `${before}\neval "$(cat completion.bash)"; COMP_WORDS=(miniflare-vpc ${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _miniflare_vpc; printf '%s\\n' "\${COMPREPLY[@]}"`;
}

describeOn("linux", "macOS has an older bash, which is simulated here", "in bash", () => {
  let script: string[];

  beforeAll(async () => {
    await using vpc = await createCallFolder({});
    script = (await vpc.call("completion bash")).out;
  });

  /** macOS's bash has no such command. */
  const OLD = "enable -n compopt";

  test.each([
    ["ex", "explain\n", ""],
    ["explain ''", "USERS\nNET\nORDERS\n", ""],
    ["check --format = g", "github\n", ""],
    ["nothing ''", "\n", ""],
    ["ex", "explain\n", OLD],
    ["explain ''", "USERS\nNET\nORDERS\n", OLD],
    ["check -c ''", "\n", OLD],
  ])("miniflare-vpc %s offers %j %s", async (words, expected, before) => {
    const { stdout, stderr } = await runBash(pressTab(words, before));
    expect([stdout, stderr]).toEqual([expected, ""]);
  });

  test.each([
    ["", "complete -F _miniflare_vpc miniflare-vpc\n"],
    [OLD, "complete -o default -F _miniflare_vpc miniflare-vpc\n"],
  ])("bash completes files itself: %s", async (before, expected) => {
    expect((await runBash(`${before}\neval "$(cat completion.bash)"; complete -p miniflare-vpc`)).stdout).toBe(
      expected,
    );
  });

  async function runBash(source: string): Promise<{ stdout: string; stderr: string }> {
    await using vpc = await createCallFolder({
      ...files,
      "completion.bash": script.join("\n"),
      "bin/miniflare-vpc": `#!/bin/sh\nexec "${process.execPath}" "${MINIFLARE_VPC}" "$@"\n`,
    });
    const bin = path.join(vpc.folder, "bin");
    chmodSync(path.join(bin, "miniflare-vpc"), 0o755);
    return spawnSync("bash", ["--norc", "--noprofile", "-c", source], {
      cwd: vpc.folder,
      env: { PATH: [bin, process.env["PATH"]].join(path.delimiter) },
      encoding: "utf8",
    });
  }
});
