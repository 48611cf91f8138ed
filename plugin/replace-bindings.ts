/**
 * What wrangler is started with from Node, told to load the plugin: with a trigger beside the VPC bindings where
 * Node is to have them, else with bindings of ours in their place, as `miniflare-vpc dev` does it.
 */

import path from "node:path";
import { fileURLToPath } from "node:url";
import type { GetPlatformProxyOptions, TestHarnessOptions, unstable_startWorker as startWorker } from "wrangler";
import { bindingKey } from "../service-worker/table.ts";
import { type JsonObject, readVpcEntries, type WranglerConfig, workerNameOf } from "./dev/read-wrangler.ts";
import { siblingPid, unsafeBinding, writeSibling, writeWithService } from "./dev/sibling.ts";
import { SiblingFiles } from "./dev/sibling-files.ts";
import { ConfigError, hasErrors } from "./diagnostics.ts";
import { loadSession } from "./load.ts";
import { activeEnvironment, findUserConfig, loadWrangler, type Wrangler, writeBeside } from "./user-wrangler.ts";
import { loaderOf, packageEntry, TRIGGER, type VpcOptions } from "./with-vpc.ts";

type StartOptions = Parameters<typeof startWorker>[0];

/** @returns nothing where wrangler would find no config */
export function writeLoading(
  files: SiblingFiles,
  { configPath, environment }: GetPlatformProxyOptions,
  vpc: VpcOptions,
): Pick<GetPlatformProxyOptions, "configPath"> {
  const found = findUserConfig(configPath);
  if (found === undefined) return {};
  const env = activeEnvironment(environment);
  const dev = loaderOf({ ...(env === undefined ? {} : { env }), ...vpc }, { folder: path.dirname(found.userFile) });
  const content = writeWithService(found.config, env, { binding: TRIGGER, service: "miniflare-vpc", dev });
  return { configPath: writeBeside(files, found.config.file, content) };
}

/**
 * @returns the bindings that override those of the config
 * @throws {ConfigError} with every mistake in the vpc config
 */
export async function replaceBindings(
  options: StartOptions,
  vpc: VpcOptions,
): Promise<{ wrangler: Wrangler; bindings: NonNullable<StartOptions["bindings"]> }> {
  const found =
    typeof options.config === "object"
      ? ofObject(options.config)
      : findUserConfig(options.config, { isRedirected: true });
  const rootPath = path.dirname(found?.userFile ?? path.resolve("wrangler.json"));
  const wrangler = loadWrangler([rootPath, process.cwd()]);
  if (found === undefined) return { wrangler, bindings: {} };

  const env = activeEnvironment(options.env);
  const { bindings } = readVpcEntries(found.config, env);
  const workerName = options.name ?? workerNameOf(found.config.raw, env) ?? found.userFile;
  const worker = { workerName, rootPath, bindings };
  const session = await loadSession({ workers: [worker], source: vpc.config, env, generation: 0 });
  // Which other Workers there are is known once it runs; then the plugin reports the rest.
  const diagnostics = session.diagnostics.filter(({ code }) => code !== "unknown-worker");
  if (hasErrors(diagnostics)) throw new ConfigError(diagnostics);
  const local = bindings.filter(({ bindingName }) => !session.remoteBindings.has(bindingKey(workerName, bindingName)));
  const entries = local.map((binding) => {
    const { name, type, dev } = unsafeBinding(binding, replacement(found.userFile, env, vpc));
    return [name, { type: `unsafe_${type}` as const, dev }] as const;
  });
  return { wrangler, bindings: Object.fromEntries(entries) };
}

/** A config that was read by wrangler already, for its environment. */
function ofObject(config: object & { configPath?: string | undefined }): { config: WranglerConfig; userFile: string } {
  const file = path.resolve(config.configPath ?? "wrangler.json");
  return { config: { file, raw: config as JsonObject, locate: () => undefined }, userFile: file };
}

/** A test harness has no login to be remote with. */
const isRemote = (): boolean => false;

type WorkerInput = TestHarnessOptions["workers"][number];

/** Kept until the process exits: the harness reads a config again at each reset. */
let files: SiblingFiles | undefined;

/** @returns the same options, with generated configs in place of those that have VPC bindings */
export function replaceInWorkers(options: TestHarnessOptions, vpc: VpcOptions): TestHarnessOptions {
  const root = path.resolve(options.root ?? ".");
  return { ...options, workers: options.workers.map((worker) => replaceInWorker(worker, root, vpc)) };
}

function replaceInWorker(worker: WorkerInput, root: string, vpc: VpcOptions): WorkerInput {
  if ("config" in worker) {
    const file = path.join(root, "wrangler.jsonc");
    const content = writeSibling(ofObject(worker.config).config, { ...replacement(file, undefined, vpc), isRemote });
    return { config: JSON.parse(content) };
  }
  const { configPath } = worker;
  const found = findUserConfig(configPath instanceof URL ? fileURLToPath(configPath) : path.resolve(root, configPath));
  if (found === undefined || siblingPid(path.basename(found.userFile)) !== undefined) return worker;
  const env = activeEnvironment(worker.env);
  if (readVpcEntries(found.config, env).bindings.length === 0) return worker;
  const content = writeSibling(found.config, { ...replacement(found.userFile, env, vpc), isRemote });
  return { ...worker, configPath: writeBeside((files ??= new SiblingFiles()), found.config.file, content) };
}

function replacement(
  userFile: string,
  env: string | undefined,
  vpc: VpcOptions,
): { pluginPackage: string; env: string | undefined; userFile: string; loaderOptions: JsonObject } {
  return { pluginPackage: packageEntry(), env: vpc.env ?? env, userFile, loaderOptions: loaderOf(vpc).options };
}
