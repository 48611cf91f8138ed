import { describe, expect, test } from "vitest";
import {
  type UiArgs,
  parseDevArgs,
  replaceConfigs,
  takeOwnArgs,
  takeUi,
} from "../../plugin/wrangler-config/dev-args.ts";

describe("the configs on the command line", () => {
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

  test("a --config without a path stays, so that wrangler refuses it", () => {
    const parsed = parseDevArgs(["--port", "1", "--config"]);
    expect(parsed.configs).toEqual([]);
  });
});

test("wrangler generates no types from the generated config", () => {
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

test("the options that select the config and its environment", () => {
  expect(parseDevArgs(words("--cwd api -e staging --name other --env-file a b --env-file=c"))).toMatchObject({
    cwd: "api",
    env: "staging",
    workerName: "other",
    envFiles: ["a", "b", "c"],
  });
  expect(parseDevArgs(["--env="]).env).toBe("");
});

describe("flags", () => {
  const off = { isRemote: false, wantsNewConfig: false };
  test.each([
    ["", off],
    ["--remote", { ...off, isRemote: true }],
    ["-r", { ...off, isRemote: true }],
    ["--remote false", off],
    ["--remote=false", off],
    ["--no-remote", off],
    ["--x-new-config", { ...off, wantsNewConfig: true }],
  ])("%j", (given, expected) => {
    expect(flags(given)).toEqual(expected);
  });
});

function words(line: string): string[] {
  return line.split(" ").filter((word) => word !== "");
}

function flags(given: string): object {
  const { isRemote, wantsNewConfig } = parseDevArgs(words(given));
  return { isRemote, wantsNewConfig };
}

test.each([
  [["--port", "1"], ["--port", "1"], {}],
  [["--control"], [], { control: "" }],
  [["--control", "9000", "--port", "1"], ["--port", "1"], { control: "9000" }],
  [["--port", "1", "--control=9000"], ["--port", "1"], { control: "9000" }],
  [["--control", "--port", "1"], ["--port", "1"], { control: "" }],
  [["--control", "src/index.ts"], ["src/index.ts"], { control: "" }],
  [["--", "--control", "--record"], ["--", "--control", "--record"], {}],
  [["--controls", "--records"], ["--controls", "--records"], {}],
  [["--record"], [], { record: "" }],
  [["--record", "x/users.har", "--port", "1"], ["--port", "1"], { record: "x/users.har" }],
  [["--record", "src/index.ts"], ["src/index.ts"], { record: "" }],
  [["--record=recorded", "--control"], [], { record: "recorded", control: "" }],
  [["--record", "--x.har"], ["--x.har"], { record: "" }],
])("takes the own arguments out of %j", (given, args, own) => {
  expect(takeOwnArgs(given)).toEqual({ args, own });
});

test.each<[given: string[], args: string[], ui: UiArgs]>([
  [["--port", "1"], ["--port", "1"], {}],
  [["--ui"], [], { isOn: true }],
  [["--no-ui", "--port", "1"], ["--port", "1"], { isOn: false }],
  [["--ui=false"], [], { isOn: false }],
  [["--ui", "--no-ui"], [], { isOn: false }],
  [["--ui-port", "4400", "src/index.ts"], ["src/index.ts"], { port: "4400" }],
  [["--port", "1", "--ui-port=4400"], ["--port", "1"], { port: "4400" }],
  [["--ui-port"], [], { port: "" }],
  [["--", "--ui", "--ui-port", "1"], ["--", "--ui", "--ui-port", "1"], {}],
  [["--uis", "--ui-ports"], ["--uis", "--ui-ports"], {}],
])("takes the flags of the page out of %j", (given, args, ui) => {
  expect(takeUi(given)).toEqual({ args, ui });
});
