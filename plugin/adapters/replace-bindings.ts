/**
 * Changes the options that wrangler gets from Node so that it loads the plugin. If Node uses the bindings, a trigger
 * is added beside them. Otherwise our bindings replace them, as in `miniflare-vpc dev`.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import type { GetPlatformProxyOptions, TestHarnessOptions, unstable_startWorker as startWorker } from "wrangler";
import { bindingKey } from "../../service-worker/routing/table.ts";
import {
  type JsonObject,
  readVpcEntries,
  type WranglerConfig,
  workerNameOf,
} from "../wrangler-config/read-wrangler.ts";
import { pickEnvironment } from "../wrangler-config/find-environment.ts";
import { siblingPid, unsafeBinding, writeNodeSibling, writeSibling } from "../wrangler-config/sibling.ts";
import { SiblingFiles } from "../wrangler-config/sibling-files.ts";
import { giveStandInStrings } from "../wrangler-config/own-string.ts";
import { ConfigError, hasErrors } from "../diagnostics.ts";
import { loadTable } from "../load.ts";
import { findUserConfig, loadWrangler, type Wrangler, writeBeside } from "./user-wrangler.ts";
import { loaderOf, packageEntry, TRIGGER, type VpcOptions } from "../miniflare/loader.ts";
import type { TriggerOptions } from "../miniflare/read-instance.ts";

type StartOptions = Parameters<typeof startWorker>[0];

/** `scenarioId`: what `connectVpc()` finds the session by. */
type SessionOptions = VpcOptions & Pick<TriggerOptions, "scenarioId">;

/** @returns the path of a generated config; no path if wrangler would find no config */
export function writeLoading(
  files: SiblingFiles,
  { configPath, environment, remoteBindings = false }: GetPlatformProxyOptions,
  vpc: SessionOptions,
): Pick<GetPlatformProxyOptions, "configPath"> {
  const env = pickEnvironment(environment, process.env);
  const found = findUserConfig(configPath, { env });
  if (found === undefined) return {};
  const { plugin, options } = loaderOf(inEnvironment(env, vpc), {
    ...scenarioOf(vpc),
    folder: path.dirname(found.userFile),
  });
  const content = writeNodeSibling(found.config, {
    env,
    isRemote: remoteBindings,
    trigger: (standIns) => ({
      binding: TRIGGER,
      service: "miniflare-vpc",
      dev: { plugin, options: { ...options, isForNode: true, standIns: standIns.map((binding) => ({ ...binding })) } },
    }),
  });
  return { configPath: writeBeside(files, found.config.file, content) };
}

/**
 * @returns bindings that override those of the config
 * @throws {ConfigError} with every mistake in the vpc config
 */
export async function replaceBindings(
  options: StartOptions,
  vpc: SessionOptions,
): Promise<{ wrangler: Wrangler; bindings: NonNullable<StartOptions["bindings"]> }> {
  const env = pickEnvironment(options.env, process.env);
  const found =
    typeof options.config === "object"
      ? ofObject(options.config)
      : findUserConfig(options.config, { isRedirected: true, env });
  const rootPath = path.dirname(found?.userFile ?? path.resolve("wrangler.json"));
  const wrangler = loadWrangler([rootPath, process.cwd()]);
  if (found === undefined) return { wrangler, bindings: {} };

  const { bindings } = readVpcEntries(found.config, env);
  // wrangler reads the config before it takes the overrides.
  giveStandInStrings(bindings);
  const workerName = options.name ?? workerNameOf(found.config.raw, env) ?? found.userFile;
  const worker = { workerName, rootPath, bindings };
  const loaded = await loadTable({ workers: [worker], source: vpc.config, env, generation: 0 });
  // The other Workers are known only when wrangler runs. The plugin reports the rest then.
  const diagnostics = loaded.diagnostics.filter(({ code }) => code !== "unknown-worker");
  if (hasErrors(diagnostics)) throw new ConfigError(diagnostics);
  const local = bindings.filter(
    ({ bindingName, ownString }) =>
      ownString === undefined && !loaded.remoteBindings.has(bindingKey(workerName, bindingName)),
  );
  const entries = local.map((binding) => {
    const { name, type, dev } = unsafeBinding(binding, replacement(found.userFile, inEnvironment(env, vpc)));
    return [name, { type: `unsafe_${type}` as const, dev }] as const;
  });
  return { wrangler, bindings: Object.fromEntries(entries) };
}

/** A config that wrangler has already read, for its environment. */
function ofObject(config: object & { configPath?: string | undefined }): { config: WranglerConfig; userFile: string } {
  const file = path.resolve(config.configPath ?? "wrangler.json");
  return { config: { file, raw: config as JsonObject, locate: () => undefined }, userFile: file };
}

/** A test harness has no login, so nothing is remote. */
const isRemote = (): boolean => false;

type WorkerInput = TestHarnessOptions["workers"][number];

/** Kept until the process exits, because the harness reads a config again at each reset. */
let files: SiblingFiles | undefined;

/** @returns the same options, where a generated config replaces each config that has VPC bindings */
export function replaceInWorkers(options: TestHarnessOptions, vpc: SessionOptions): TestHarnessOptions {
  const root = path.resolve(options.root ?? ".");
  return { ...options, workers: options.workers.map((worker) => replaceInWorker(worker, root, vpc)) };
}

function replaceInWorker(worker: WorkerInput, root: string, vpc: SessionOptions): WorkerInput {
  if ("config" in worker) {
    const file = path.join(root, "wrangler.jsonc");
    const content = writeSibling(ofObject(worker.config).config, { ...replacement(file, vpc), isRemote });
    return { config: JSON.parse(content) };
  }
  const { configPath } = worker;
  const found = findUserConfig(configPath instanceof URL ? fileURLToPath(configPath) : path.resolve(root, configPath));
  if (found === undefined || siblingPid(path.basename(found.userFile)) !== undefined) return worker;
  const env = pickEnvironment(worker.env, process.env);
  if (readVpcEntries(found.config, env).bindings.every(({ ownString }) => ownString !== undefined)) return worker;
  const content = writeSibling(found.config, { ...replacement(found.userFile, inEnvironment(env, vpc)), isRemote });
  return { ...worker, configPath: writeBeside((files ??= new SiblingFiles()), found.config.file, content) };
}

/** Also says that it is the top level, because the plugin would follow CLOUDFLARE_ENV then. */
function inEnvironment(env: string | undefined, vpc: SessionOptions): SessionOptions {
  return { env: env ?? "", ...vpc };
}

function replacement(
  userFile: string,
  vpc: SessionOptions,
): { pluginPackage: string; env: string | undefined; userFile: string; loaderOptions: JsonObject } {
  const env = pickEnvironment(vpc.env, {});
  return { pluginPackage: packageEntry(), env, userFile, loaderOptions: loaderOf(vpc, scenarioOf(vpc)).options };
}

function scenarioOf({ scenarioId }: SessionOptions): Pick<TriggerOptions, "scenarioId"> {
  return scenarioId === undefined ? {} : { scenarioId };
}
