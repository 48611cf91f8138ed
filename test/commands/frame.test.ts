/** Usage, parsing and error messages, which derive from a command's declaration. */

import { expect, test } from "vitest";

import type { CommandCall, Command } from "../../plugin/commands/command.ts";
import { defineCommand } from "../../plugin/commands/define-command.ts";
import { commands } from "../../plugin/commands/commands.ts";
import { runCommandLine } from "../../plugin/commands/dispatch.ts";
import { createCallFolder } from "./call.ts";

const calls: CommandCall<never, never>[] = [];

const greet: Command = defineCommand({
  name: "greet",
  summary: "says hello",
  description: "Says hello to each of them.",
  positionals: [
    { name: "tone", summary: "how", choices: ["loud", "quiet"] },
    { name: "who", summary: "whom to greet", isOptional: true, isRepeated: true },
  ],
  flags: {
    language: { type: "string", short: "l", value: "CODE", choices: ["en", "de"], summary: "in which language" },
    title: { type: "string", value: "TEXT", isRepeated: true, summary: "put in front" },
    env: { type: "string", value: "NAME", mayBeEmpty: true, summary: "where" },
    wave: { type: "boolean", short: "w", summary: "wave a hand" },
  },
  examples: [{ args: "loud Ada --wave", summary: "across the street" }],
  exitCodes: { 0: "greeted", 2: "not understood" },
  async run(call) {
    calls.push(call as never);
    return 0;
  },
});

const relay: Command = defineCommand({
  name: "relay",
  summary: "starts another program",
  description: "Starts another program.",
  positionals: [],
  passedOnTo: "program run",
  flags: {
    config: { type: "string", short: "c", value: "FILE", isRepeated: true, summary: "which config" },
    env: { type: "string", short: "e", value: "NAME", mayBeEmpty: true, summary: "where" },
    local: { type: "boolean", short: "l", summary: "only here" },
  },
  examples: [{ args: "--port 1", summary: "on a port" }],
  exitCodes: { 0: "started", 2: "not understood" },
  async run(call) {
    calls.push(call as never);
    return 0;
  },
});

const RELAY_HELP = `miniflare-vpc relay [flags] [arguments of program run]

Starts another program.

Flags:
    -c, --config FILE  which config
    -e, --env NAME     where
    -l, --local        only here
    -h, --help         print this help

Examples:
    miniflare-vpc relay --port 1  on a port

Exit codes:
    0  started
    2  not understood
`;

const HELP = `miniflare-vpc greet <tone> [<who…>] [flags]

Says hello to each of them.

Arguments:
    <tone>  how
    <who>   whom to greet

Flags:
    -l, --language CODE  in which language: en, de
        --title TEXT     put in front
        --env NAME       where
    -w, --wave           wave a hand
    -h, --help           print this help

Examples:
    miniflare-vpc greet loud Ada --wave  across the street

Exit codes:
    0  greeted
    2  not understood
`;

const USAGE = `miniflare-vpc <command> [arguments]

    greet  says hello
    relay  starts another program

    miniflare-vpc <command> --help
    miniflare-vpc --version

Use wrangler for everything else. wrangler deploy uploads the same as before.

Exit codes: 0 no problem, 1 a problem, 2 the command line is invalid or there is no wrangler config;
dev ends with wrangler's exit code.
`;

async function run(...argv: string[]): Promise<[exit: unknown, out: string, err: string]> {
  const printed = { out: "", err: "" };
  const terminal = {
    cwd: "/",
    env: {},
    print: (text: string) => void (printed.out += `${text}\n`),
    printError: (text: string) => void (printed.err += `${text}\n`),
    paint: (_: unknown, text: string) => text,
  };
  const exit = await runCommandLine(argv, { commands: [greet, relay], version: "1.2.3" }, terminal);
  return [exit, printed.out, printed.err];
}

test.each([
  [["greet", "--help"], HELP],
  [["greet", "-h"], HELP],
  [["greet", "--unknown", "--help"], HELP],
  [["help", "greet"], HELP],
  [["relay", "--help"], RELAY_HELP],
  [["relay", "--port", "1", "-h"], RELAY_HELP],
  [["help", "relay"], RELAY_HELP],
  [["--help"], USAGE],
  [["-h"], USAGE],
  [["help"], USAGE],
  [["--version"], "1.2.3\n"],
  [["-v"], "1.2.3\n"],
])("%j is answered", async (argv, expected) => {
  expect(await run(...argv)).toEqual([0, expected, ""]);
});

test.each([
  [[], USAGE],
  [["gret"], 'miniflare-vpc: there is no command "gret". Did you mean "miniflare-vpc greet"?\n'],
  [["help", "gret"], 'miniflare-vpc: there is no command "gret". Did you mean "miniflare-vpc greet"?\n'],
  [["deploy"], `miniflare-vpc: there is no command "deploy".\n\n${USAGE}`],
  [["--verison"], 'miniflare-vpc: there is no flag "--verison". Did you mean "miniflare-vpc --version"?\n'],
  [["greet"], "miniflare-vpc greet: <tone> is missing: how.\n"],
  [["greet", "laud"], 'miniflare-vpc greet: <tone> can\'t be "laud". Did you mean "loud"?\n'],
  [["greet", "whispering"], 'miniflare-vpc greet: <tone> can\'t be "whispering". Valid values: loud, quiet.\n'],
  [["greet", "loud", "--wvae"], 'miniflare-vpc greet: there is no flag "--wvae". Did you mean "--wave"?\n'],
  [
    ["greet", "loud", "-x"],
    'miniflare-vpc greet: there is no flag "-x". Type "miniflare-vpc greet --help" to see its flags.\n',
  ],
  [
    ["greet", "loud", "--constructor"],
    'miniflare-vpc greet: there is no flag "--constructor". Type "miniflare-vpc greet --help" to see its flags.\n',
  ],
  [["greet", "loud", "--language"], 'miniflare-vpc greet: the flag "--language" requires a value: --language CODE.\n'],
  [["greet", "loud", "--language="], 'miniflare-vpc greet: the flag "--language" requires a value: --language CODE.\n'],
  [["greet", "loud", "-l", "--wave"], 'miniflare-vpc greet: the flag "-l" requires a value: -l CODE.\n'],
  [["greet", "loud", "--language", "dee"], 'miniflare-vpc greet: "--language" can\'t be "dee". Did you mean "de"?\n'],
  [["greet", "loud", "-l=de", "-l", "en"], 'miniflare-vpc greet: the flag "-l" is given twice.\n'],
  [["greet", "loud", "--wave=yes"], 'miniflare-vpc greet: the flag "--wave" takes no value.\n'],
  [["relay", "--config"], 'miniflare-vpc relay: the flag "--config" requires a value: --config FILE.\n'],
  [["relay", "-c", "--port"], 'miniflare-vpc relay: the flag "-c" requires a value: -c FILE.\n'],
  [["relay", "-e", "a", "--env=b"], 'miniflare-vpc relay: the flag "--env" is given twice.\n'],
])("%j is refused", async (argv, expected) => {
  expect(await run(...argv)).toEqual([2, "", expected]);
});

test.each([
  [["loud"], { tone: "loud", who: [] }, { language: undefined, title: [], env: undefined, wave: false }],
  [
    ["-wl", "de", "quiet", "Ada", "--title", "Dr.", "Bob", "--title=Prof.", "--env", ""],
    { tone: "quiet", who: ["Ada", "Bob"] },
    { language: "de", title: ["Dr.", "Prof."], env: "", wave: true },
  ],
  [
    ["loud", "--env=", "-l=en", "--", "--wave", "-"],
    { tone: "loud", who: ["--wave", "-"] },
    { language: "en", title: [], env: "", wave: false },
  ],
])("%j is understood", async (argv, positionals, flags) => {
  expect(await run("greet", ...argv)).toEqual([0, "", ""]);
  expect(calls.at(-1)).toEqual({ positionals, flags, argv });
});

test.each([
  [["--port", "1", "src/index.js", "--minify=false", "-x"], { config: [], env: undefined, local: false }],
  [["-c", "a", "--config=b", "-le", "staging"], { config: ["a", "b"], env: "staging", local: true }],
  [["--local=false", "--no-local"], { config: [], env: undefined, local: false }],
  [["--", "--help", "--env"], { config: [], env: undefined, local: false }],
])("%j is passed on", async (argv, flags) => {
  expect(await run("relay", ...argv)).toEqual([0, "", ""]);
  expect(calls.at(-1)).toEqual({ positionals: {}, flags, argv });
});

test.each(commands.map(({ name }) => name))("%s --help prints the help", async (name) => {
  await using vpc = await createCallFolder({});
  const { exit, out, err } = await vpc.call(`${name} --help`);
  expect([exit, err]).toEqual([0, []]);
  expect(out[0]).toMatch(new RegExp(`^miniflare-vpc ${name} .*\\[flags\\]( \\[arguments of wrangler dev\\])?$`));
  expect(out).toEqual(expect.arrayContaining(["Flags:", "Examples:", "Exit codes:"]));
  expect(out.filter((line) => line.length > 140)).toEqual([]);
});

test("an unexpected argument is named", async () => {
  await using vpc = await createCallFolder({});
  expect((await vpc.call("check x")).err).toEqual(['miniflare-vpc check: unexpected argument "x".']);
});

const DEV_HELP = `miniflare-vpc dev [flags] [arguments of wrangler dev]

Runs your own wrangler dev and serves vpc_services and vpc_networks on this machine. The vpc config next to the
wrangler config says where each of them leads. An edit of the vpc config takes effect without a restart.

All arguments but --control, --record and those with "ui" are passed on to wrangler dev, also flags that are not listed
here: see wrangler dev --help. The exit code is wrangler's, once wrangler runs.

Flags:
    -c, --config FILE     the wrangler config, instead of the one that wrangler finds; repeat it for several Workers
    -e, --env NAME        the environment of the wrangler config; "" is the top level
    -l, --local           turn off remote bindings, which need a login
    -r, --remote          run the Worker on Cloudflare, with the real VPC bindings
        --control [PORT]  let other programs direct the network over HTTP on this loopback port, 8474 if left out
        --ui              serve the page that shows the traffic, also where CI is set
        --no-ui           don't serve that page
        --ui-port PORT    serve it on this loopback port
        --record [FILE]   record all HTTP calls of the session in this HAR file, vpc.har if left out
    -h, --help            print this help

Examples:
    miniflare-vpc dev                                              for the wrangler config here
    miniflare-vpc dev --env staging --port 8788                    in an environment; wrangler dev reads the port
    miniflare-vpc dev --control                                    with an API for tests in any language; it prints the URL
    miniflare-vpc dev --record users.har                           with a recording, which is written at the end
    miniflare-vpc dev -c api/wrangler.jsonc -c jobs/wrangler.toml  several Workers, each with its own vpc config

Exit codes:
    0  wrangler ended without an error
    1  an error in a config or in wrangler, or wrangler is not installed
    2  the command line is invalid, or a config that it names does not exist`;

test.each(["dev --help", "dev -h", "dev --port 8788 --help", "help dev"])("%s", async (line) => {
  await using vpc = await createCallFolder({});
  const { exit, out, err } = await vpc.call(line);
  expect([exit, out.join("\n"), err]).toEqual([0, DEV_HELP, []]);
});

test.each([
  ["dev --config", 'the flag "--config" requires a value: --config FILE.'],
  ["dev -c --port 8788", 'the flag "-c" requires a value: -c FILE.'],
  ["dev --env staging -e production", 'the flag "-e" is given twice.'],
])("%s starts no wrangler", async (line, problem) => {
  await using vpc = await createCallFolder({});
  expect(await vpc.call(line)).toEqual({ exit: 2, out: [], err: [`miniflare-vpc dev: ${problem}`] });
});

/** Every command with `--config`, and a valid command line for it. */
const WITH_CONFIG: Record<string, string> = {
  dev: "dev",
  init: "init",
  check: "check",
  explain: "explain USERS http://users.internal/",
  routes: "routes",
  import: "import records.json",
  diff: "diff records.json",
};

test("the list contains all commands with --config", () => {
  const names = commands.filter(({ flags }) => Object.hasOwn(flags, "config")).map(({ name }) => name);
  expect(names).toEqual(Object.keys(WITH_CONFIG));
});

test.each(Object.entries(WITH_CONFIG))(
  "%s refuses a config that does not exist, is a folder, or is a vpc config",
  async (name, line) => {
    await using vpc = await createCallFolder({
      "wrangler.json": '{ "name": "api" }',
      "folder/file": "",
      "records.json": "[]",
      "vpc.jsonc": "{}",
    });
    const missing = 'there is no file "none.toml" in FOLDER. Correct the path after "--config".';
    const folder = '"folder" is a folder. Write the path of a wrangler config after "--config".';
    const vpcConfig =
      '"vpc.jsonc" is a vpc config. Write the path of the wrangler config after "--config"; the vpc config next to that is read with it.';
    for (const [flags, problem] of [
      ["-c none.toml", missing],
      ["--config=none.toml", missing],
      ["-c wrangler.json -c none.toml", missing],
      ["-c folder", folder],
      ["-c vpc.jsonc", vpcConfig],
    ]) {
      const refused = { exit: 2, out: [], err: [`miniflare-vpc ${name}: ${problem}`] };
      expect([flags, await vpc.call(`${line} ${flags}`)]).toEqual([flags, refused]);
    }
  },
);
