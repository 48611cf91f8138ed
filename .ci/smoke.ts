/**
 * Tries the packed tarball as a user has it, on any system: installs it in a folder whose path has a space and an umlaut, runs
 * `miniflare-vpc dev`, makes a request, an edit and another request, presses ctrl-C, and checks that nothing is left.
 *
 *   node --experimental-strip-types .ci/smoke.ts miniflare-vpc-0.1.0.tgz
 *
 * Runs with the Node.js that starts it, from 22.12 on. On Windows nothing can send ctrl-C to another console, so `dev` gets a
 * console of its own, which PowerShell enters.
 */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

import manifest from "../package.json" with { type: "json" };

const IS_WINDOWS = process.platform === "win32";
const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";
/** Milliseconds. */
const DEADLINE = 60_000;

/** A private service. */
async function startOrigin(text: string): Promise<http.Server> {
  const server = http.createServer((_, response) => response.end(text)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function vpcConfig(origin: http.Server): string {
  return JSON.stringify({ services: { [SERVICE]: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` } });
}

/** Polls until the result is truthy. @throws {Error} that says what did not happen, with the details */
async function until<T>(what: string, look: () => T | Promise<T>, details: () => string = () => ""): Promise<T> {
  const deadline = Date.now() + DEADLINE;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`Not within ${DEADLINE} ms: ${what}.\n${details()}`);
    await setTimeout(100);
  }
}

/** @returns what it printed. @throws {Error} with that, if it fails */
function run(command: string, args: readonly string[], options: { cwd?: string; shell?: boolean } = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  assert.equal(status, 0, `${command} ${args.join(" ")} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

function powershell(script: string): string {
  return run("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", script]);
}

/** The command lines of all processes. */
function commandLines(): string[] {
  const printed = IS_WINDOWS
    ? powershell('Get-CimInstance Win32_Process | ForEach-Object { "$($_.CommandLine)" }')
    : run("ps", ["-A", "-ww", "-o", "command="]);
  return printed.split(/\r?\n/);
}

interface Dev {
  output: (this: void) => string;
  isRunning(): boolean;
  pressCtrlC(): void;
  /** Ends it and what it started, if the test has failed. */
  kill(): void;
}

function startDev(project: string, args: readonly string[]): Dev {
  return IS_WINDOWS ? startInConsole(project, args) : startInGroup(project, args);
}

function startInGroup(project: string, args: readonly string[]): Dev {
  let output = "";
  const child = spawn(process.execPath, args, { cwd: project, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return {
    output: () => output,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    pressCtrlC: () => void child.kill("SIGINT"),
    kill() {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // The group has ended.
      }
    },
  };
}

/** A string of PowerShell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function startInConsole(project: string, args: readonly string[]): Dev {
  const logs = ["out.log", "error.log"].map((name) => path.join(project, name));
  const [output = "", errors = ""] = logs.map(quote);
  const start =
    `Start-Process -PassThru -WindowStyle Hidden -FilePath ${quote(process.execPath)} -WorkingDirectory ${quote(project)} ` +
    `-ArgumentList ${args.map(quote).join(",")} -RedirectStandardOutput ${output} -RedirectStandardError ${errors}`;
  // A program that ignores ctrl-C passes that on to its children.
  const hearCtrlC = "$null = $console::SetConsoleCtrlHandler([IntPtr]::Zero, $false)";
  const pid = Number(powershell(`${CONSOLE}${hearCtrlC}\n(${start}).Id`));
  assert.ok(pid > 0, "PowerShell started nothing");
  return {
    output: () => logs.map((file) => readFileSync(file, "utf8")).join(""),
    isRunning() {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    },
    pressCtrlC: () => void powershell(pressIn(pid)),
    kill: () => void spawnSync("taskkill", ["/T", "/F", "/PID", String(pid)]),
  };
}

/** Leaves its own console, enters that of the process, and sends ctrl-C to all in it but itself. */
function pressIn(pid: number): string {
  return `${CONSOLE}
$null = $console::FreeConsole()
if (-not $console::AttachConsole(${pid})) { exit 1 }
$null = $console::SetConsoleCtrlHandler([IntPtr]::Zero, $true)
if (-not $console::GenerateConsoleCtrlEvent(0, 0)) { exit 1 }
`;
}

/** Windows' functions, for PowerShell. */
const CONSOLE = `
$console = Add-Type -PassThru -Name Console -Namespace Smoke -MemberDefinition @'
[DllImport("kernel32.dll")] public static extern bool FreeConsole();
[DllImport("kernel32.dll")] public static extern bool AttachConsole(uint pid);
[DllImport("kernel32.dll")] public static extern bool SetConsoleCtrlHandler(IntPtr handler, bool add);
[DllImport("kernel32.dll")] public static extern bool GenerateConsoleCtrlEvent(uint signal, uint group);
'@
`;

async function get(url: string): Promise<string> {
  try {
    return await (await fetch(url)).text();
  } catch (error) {
    return String(error);
  }
}

function say(text: string): void {
  console.log(`smoke: ${text}`);
}

function filesIn(folder: string, prefix: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(prefix));
}

async function smoke(tarball: string, project: string): Promise<void> {
  const write = (name: string, content: string): void => writeFileSync(path.join(project, name), content);
  // The egress proxy's directory would be here. wrangler removes its own folders.
  const temporary = path.join(project, "tmp");
  mkdirSync(temporary);
  for (const name of ["TMPDIR", "TEMP", "TMP"]) process.env[name] = temporary;
  // wrangler stays off the network.
  Object.assign(process.env, { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" });

  const first = await startOrigin("first");
  const second = await startOrigin("second");
  copyFileSync(tarball, path.join(project, "package.tgz"));
  write("package.json", '{ "private": true, "type": "module" }\n');
  write("index.js", 'export default { fetch: (_, env) => env.USERS.fetch("http://users.internal/") };\n');
  const config = { name: "api", main: "index.js", compatibility_date: "2026-01-01" };
  write("wrangler.jsonc", JSON.stringify({ ...config, vpc_services: [{ binding: "USERS", service_id: SERVICE }] }));
  write("vpc.jsonc", vpcConfig(first));

  say(`Node.js ${process.version} on ${process.platform}, in ${project}`);
  // npm is a script of cmd.exe on Windows. None of these arguments needs quotes.
  const packages = ["./package.tgz", `wrangler@${manifest.devDependencies.wrangler}`];
  run("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: project, shell: IS_WINDOWS });
  const cli = path.join("node_modules", "miniflare-vpc", "dist", "cli.js");
  assert.equal(run(process.execPath, [cli, "--version"], { cwd: project }).trim(), manifest.version);
  run(process.execPath, [cli, "check", "--strict"], { cwd: project });

  const dev = startDev(project, [cli, "dev", "--port", "0", "--inspector-port", "0"]);
  try {
    const ready = await until(
      "dev is ready",
      () => /Ready on (http:\/\/\S+)/.exec(dev.output()) ?? !dev.isRunning(),
      dev.output,
    );
    assert.ok(typeof ready === "object", `dev ended early:\n${dev.output()}`);
    const [, url = ""] = ready;
    assert.equal(await get(url), "first", dev.output());
    say("a request was answered");

    write("vpc.jsonc", vpcConfig(second));
    await until("the edit is applied", async () => (await get(url)) === "second", dev.output);
    say("an edit was applied");

    dev.pressCtrlC();
    await until("dev ends after ctrl-C", () => !dev.isRunning(), dev.output);
    assert.doesNotMatch(dev.output(), /^miniflare-vpc: |ENOSYS/m);
    const unique = path.basename(project).slice(-6);
    const running = (): string[] => commandLines().filter((line) => line.includes(unique));
    await until(
      "no process is left",
      () => running().length === 0,
      () => running().join("\n"),
    );
    assert.deepEqual([...filesIn(project, ".wrangler-vpc-"), ...filesIn(temporary, "mvpc-")], []);
    say("ctrl-C left no process, no generated config and no socket");
  } finally {
    dev.kill();
    first.close();
    second.close();
  }
}

const [tarball] = process.argv.slice(2);
if (tarball === undefined) throw new Error("Name the tarball: node --experimental-strip-types .ci/smoke.ts FILE");
const project = realpathSync(mkdtempSync(path.join(tmpdir(), "miniflare-vpc smoke \u00fc ")));
try {
  await smoke(path.resolve(tarball), project);
} finally {
  rmSync(project, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
}
