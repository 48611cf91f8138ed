import { describe, expect, test } from "vitest";
import { parseDevArgs, replaceConfigs } from "../plugin/dev/dev-args.ts";

describe("the configs named on the command line", () => {
  const cases: [given: string, named: string[], replaced: string][] = [
    ["", [], "--config 0"],
    ["-c a.toml", ["a.toml"], "-c 0"],
    ["--config a.toml", ["a.toml"], "--config 0"],
    ["-c=a.toml", ["a.toml"], "--config=0"],
    ["--config=a.toml", ["a.toml"], "--config=0"],
    ["-c./a.toml", ["./a.toml"], "--config=0"],
    ["-lc a.toml", ["a.toml"], "-lc 0"],
    ["-c a.toml --port 1 --config=b.json --local", ["a.toml", "b.json"], "-c 0 --port 1 --config=1 --local"],
    ["src/index.ts --env staging", [], "--config 0 src/index.ts --env staging"],
    ["--var c:1 --ip ::1", [], "--config 0 --var c:1 --ip ::1"],
    ["--port 1 -- -c a.toml", [], "--config 0 --port 1 -- -c a.toml"],
  ];
  test.each(cases)("%j", (given, named, replaced) => {
    const parsed = parseDevArgs(words(given));
    expect(parsed.configs.map(({ text }) => text)).toEqual(named);
    expect(replaceConfigs(parsed, ["0", "1"].slice(0, Math.max(named.length, 1)))).toEqual(words(replaced));
  });

  test("a config without a path is left for wrangler to refuse", () => {
    const parsed = parseDevArgs(["--port", "1", "--config"]);
    expect(parsed.configs).toEqual([]);
  });
});

test("no types are made from the generated config", () => {
  const types = (given: string): string[] => replaceConfigs(parseDevArgs(words(given)), ["0"]);
  expect(types("--types --port 1")).toEqual(words("--config 0 --types --port 1 --no-types"));
  expect(types("--types=false")).toEqual(words("--config 0 --types=false"));
});

describe("the script", () => {
  const cases: [given: string, script: string | undefined][] = [
    ["", undefined],
    ["src/index.ts", "src/index.ts"],
    ["--port 8788 src/index.ts", "src/index.ts"],
    ["--env staging src/index.ts --local", "src/index.ts"],
    ["-e staging", undefined],
    ["--minify true", undefined],
    ["--var A:1 B:2", undefined],
    ["--var A:1 B:2 --local src/index.ts", "src/index.ts"],
    ["--test-scheduled src/index.ts", "src/index.ts"],
  ];
  test.each(cases)("%j", (given, script) => {
    expect(parseDevArgs(words(given)).script).toBe(script);
  });
});

test("the options that decide which config and which of its environments is used", () => {
  expect(parseDevArgs(words("--cwd api -e staging --name other --env-file a b --env-file=c"))).toMatchObject({
    cwd: "api",
    env: "staging",
    workerName: "other",
    envFiles: ["a", "b", "c"],
  });
  expect(parseDevArgs(["--env="]).env).toBe("");
});

describe("flags", () => {
  const off = { isRemote: false, isHelp: false, wantsNewConfig: false };
  test.each([
    ["", off],
    ["--remote", { ...off, isRemote: true }],
    ["-r", { ...off, isRemote: true }],
    ["--remote false", off],
    ["--remote=false", off],
    ["--no-remote", off],
    ["--port 1 --help", { ...off, isHelp: true }],
    ["--x-new-config", { ...off, wantsNewConfig: true }],
  ])("%j", (given, expected) => {
    expect(flags(given)).toEqual(expected);
  });
});

function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

function flags(given: string): object {
  const { isRemote, isHelp, wantsNewConfig } = parseDevArgs(words(given));
  return { isRemote, isHelp, wantsNewConfig };
}
