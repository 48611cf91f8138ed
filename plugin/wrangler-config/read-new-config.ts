/**
 * Reads a `cloudflare.config.ts` by wrangler's own reader, in a process of its own: it is a program, and its shape is
 * wrangler's business. Gives the wrangler config that wrangler makes of it.
 */

import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";

import { findWrangler } from "./find-wrangler.ts";
import { messageOf } from "../system/error.ts";
import { STAND_IN_STRING, VARIABLES } from "./own-string.ts";

/** The file that wrangler reads instead of its config with `--experimental-new-config`. */
export const NEW_CONFIG = "cloudflare.config.ts";
/** What wrangler reads besides. */
const TOOLING_CONFIG = "wrangler.config.ts";

/** An object of JSON. */
type JsonFields = Record<string, unknown>;

export type ConfigAsWrangler = { raw: JsonFields } | { text: string; notes: string[] };

/** Milliseconds. */
const MAX_TIME = 60_000;

/** Prints the config that wrangler makes, after a mark, because wrangler prints its bindings and logs too. */
const MARK = "@@miniflare-vpc ";
const READER = `
const { createRequire } = require("node:module");
const [, bin, env, standIn, ...prefixes] = process.argv;
const { unstable_DevEnv: DevEnv } = createRequire(bin)("wrangler");
const say = (answer) => process.stdout.write(${JSON.stringify(`\n${MARK}`)} + JSON.stringify(answer) + "\\n", () => process.exit());
const dev = { experimentalNewConfig: true, watch: false, generateTypes: false };
async function read() {
  const devEnv = new DevEnv();
  try {
    await devEnv.config.set({ ...(env && { env }), dev }, true);
  } catch (error) {
    // wrangler wants a connection string for each Hyperdrive binding, and names the variable of the first without one.
    const [, variable] = /'([A-Z_]+_HYPERDRIVE_LOCAL_CONNECTION_STRING_[^']+)'/.exec(String(error?.message)) ?? [];
    if (variable === undefined || process.env[variable]) throw error;
    process.env[variable] = standIn;
    return read();
  }
  const config = devEnv.config.latestWranglerConfig;
  // wrangler writes the value of a variable into the config. It may be a secret, and the variable counts anyway.
  for (const entry of config?.hyperdrive ?? []) {
    const values = prefixes.map((prefix) => process.env[prefix + entry.binding]);
    if (values.includes(entry.localConnectionString)) delete entry.localConnectionString;
  }
  return config;
}
read().then((config) => say({ config }), (error) => say({ message: String(error?.message ?? error) }));
`;

/** Keys that describe where wrangler found the config, which no config may have. */
const PLACE_KEYS = new Set([
  "configPath",
  "userConfigPath",
  "topLevelName",
  "definedEnvironments",
  "targetEnvironment",
]);

/** Keys that wrangler takes at the top level only. */
const TOP_LEVEL_KEYS = new Set(["dev", "alias", "keep_vars", "send_metrics", "site"]);

/** By file and environment, as long as the files stay the same: reading takes wrangler seconds, and a vpc config is edited often. */
const kept = new Map<string, { stamp: string; read: ConfigAsWrangler }>();

/**
 * @param file absolute path
 * @param env the mode that the config's functions get; `--env` and CLOUDFLARE_ENV of wrangler
 */
export function readNewConfig(file: string, env: string | undefined): ConfigAsWrangler {
  const key = JSON.stringify([file, env]);
  const stamp = [file, path.join(path.dirname(file), TOOLING_CONFIG)].map(stampOf).join();
  const known = kept.get(key);
  if (known?.stamp === stamp) return known.read;
  const read = ask(file, env);
  kept.set(key, { stamp, read });
  return read;
}

function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return `${stats?.mtimeMs} ${stats?.size}`;
}

function ask(file: string, env: string | undefined): ConfigAsWrangler {
  const cwd = path.dirname(file);
  const wrangler = findWrangler([cwd, process.cwd()]);
  if (wrangler.type !== "found") return { text: "wrangler reads it, and is not there", notes: [wrangler.reason] };
  if (!canRead(wrangler.bin)) return TOO_OLD;
  // With the variable, wrangler adds the environment to the name, which the file has already chosen.
  const { CLOUDFLARE_ENV: _, ...variables } = process.env;
  const { stdout, error } = spawnSync(
    process.execPath,
    ["-e", READER, wrangler.bin, env ?? "", STAND_IN_STRING, ...VARIABLES],
    {
      cwd,
      encoding: "utf8",
      timeout: MAX_TIME,
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...variables, WRANGLER_SEND_METRICS: "false" },
    },
  );
  if (error !== undefined) return { text: `wrangler could not be asked: ${messageOf(error)}`, notes: [] };
  const line = stdout.split("\n").findLast((each) => each.startsWith(MARK));
  const answer = line === undefined ? {} : (JSON.parse(line.slice(MARK.length)) as Answer);
  if (answer.message !== undefined) return { text: answer.message, notes: [] };
  const { config } = answer;
  if (config === undefined)
    return { text: "wrangler gave no answer", notes: ["Run: npx wrangler check startup --experimental-new-config"] };
  return { raw: toRaw(config, env) };
}

/** Whether this wrangler has the module that such a config is written with. */
function canRead(bin: string): boolean {
  const manifest = JSON.parse(readFileSync(path.join(path.dirname(bin), "../package.json"), "utf8")) as {
    exports?: Record<string, unknown>;
  };
  return manifest.exports?.["./experimental-config"] !== undefined;
}

interface Answer {
  config?: JsonFields;
  message?: string;
}

const TOO_OLD: ConfigAsWrangler = {
  text: "the installed wrangler can't read it yet",
  notes: [
    "Run: npm install --save-dev wrangler@latest, or keep the same VPC bindings in a wrangler.json, wrangler.jsonc or wrangler.toml.",
  ],
};

/** The environment's own section says that the name is complete: wrangler adds no suffix to a name of this file. */
function toRaw(config: JsonFields, env: string | undefined): JsonFields {
  const raw = Object.fromEntries(Object.entries(config).filter(([key]) => !PLACE_KEYS.has(key)));
  // wrangler warns of it, and makes an empty one.
  if (JSON.stringify(raw["unsafe"]) === "{}") delete raw["unsafe"];
  if (env === undefined) return raw;
  const section = Object.fromEntries(Object.entries(raw).filter(([key]) => !TOP_LEVEL_KEYS.has(key)));
  return { ...raw, env: { [env]: section } };
}
