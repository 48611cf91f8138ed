/** What derives from a command's declaration: usage, parsing, and what is said of a wrong call. */

import { expect, test } from "vitest";

import { type Call, type Command, defineCommand } from "../../plugin/commands/command.ts";
import { commands } from "../../plugin/commands/commands.ts";
import { runCommandLine } from "../../plugin/commands/dispatch.ts";
import { createCallFolder } from "./call.ts";

const calls: Call<never, never>[] = [];

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
    -h, --help           print this

Examples:
    miniflare-vpc greet loud Ada --wave  across the street

Exit codes:
    0  greeted
    2  not understood
`;

const USAGE = `miniflare-vpc <command> [arguments]

    greet  says hello

    miniflare-vpc <command> --help
    miniflare-vpc --version

Everything else stays with wrangler: wrangler deploy uploads the same as ever.

Exit codes: 0 all is well, 1 something is wrong with a config, 2 the command line can't be understood;
dev ends with wrangler's own.
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
  const exit = await runCommandLine(argv, { commands: [greet], version: "1.2.3" }, terminal);
  return [exit, printed.out, printed.err];
}

test.each([
  [["greet", "--help"], HELP],
  [["greet", "-h"], HELP],
  [["greet", "--unknown", "--help"], HELP],
  [["help", "greet"], HELP],
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
  [["greet", "whispering"], 'miniflare-vpc greet: <tone> can\'t be "whispering". It is one of loud, quiet.\n'],
  [["greet", "loud", "--wvae"], 'miniflare-vpc greet: there is no flag "--wvae". Did you mean "--wave"?\n'],
  [
    ["greet", "loud", "-x"],
    'miniflare-vpc greet: there is no flag "-x". Type "miniflare-vpc greet --help" to see its flags.\n',
  ],
  [
    ["greet", "loud", "--constructor"],
    'miniflare-vpc greet: there is no flag "--constructor". Type "miniflare-vpc greet --help" to see its flags.\n',
  ],
  [["greet", "loud", "--language"], 'miniflare-vpc greet: the flag "--language" lacks its value: --language CODE.\n'],
  [["greet", "loud", "--language="], 'miniflare-vpc greet: the flag "--language" lacks its value: --language CODE.\n'],
  [["greet", "loud", "-l", "--wave"], 'miniflare-vpc greet: the flag "-l" lacks its value: -l CODE.\n'],
  [["greet", "loud", "--language", "dee"], 'miniflare-vpc greet: "--language" can\'t be "dee". Did you mean "de"?\n'],
  [["greet", "loud", "-l=de", "-l", "en"], 'miniflare-vpc greet: the flag "-l" is given twice.\n'],
  [["greet", "loud", "--wave=yes"], 'miniflare-vpc greet: the flag "--wave" takes no value.\n'],
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
  expect(calls.at(-1)).toEqual({ positionals, flags });
});

test.each(commands.filter(({ isPassedOn }) => !isPassedOn).map(({ name }) => name))(
  "%s explains itself",
  async (name) => {
    await using vpc = await createCallFolder({});
    const { exit, out, err } = await vpc.call(`${name} --help`);
    expect([exit, err]).toEqual([0, []]);
    expect(out[0]).toMatch(new RegExp(`^miniflare-vpc ${name} .*\\[flags\\]$`));
    expect(out).toEqual(expect.arrayContaining(["Flags:", "Examples:", "Exit codes:"]));
    expect(out.filter((line) => line.length > 140)).toEqual([]);
  },
);

test("one argument too many is named", async () => {
  await using vpc = await createCallFolder({});
  expect((await vpc.call("check x")).err).toEqual(['miniflare-vpc check: "x" is one argument too many.']);
});
