/** The declaration of `dev`. It declares the arguments that matter to VPC bindings; wrangler gets all of them. */

import { runDev } from "../dev/dev.ts";
import type { Command } from "./command.ts";
import { CONFIG_FLAG, ENV_FLAG } from "./config-flags.ts";
import { defineCommand } from "./define-command.ts";

export const dev: Command = defineCommand({
  name: "dev",
  summary: "run wrangler dev with the VPC bindings served on this machine",
  description: `Runs your own wrangler dev and serves vpc_services and vpc_networks on this machine. The vpc config next to the
wrangler config says where each of them leads. An edit of the vpc config takes effect without a restart.

All arguments but --control, --record and those with "ui" are passed on to wrangler dev, also flags that are not listed
here: see wrangler dev --help. The exit code is wrangler's, once wrangler runs.`,
  positionals: [],
  passedOnTo: "wrangler dev",
  flags: {
    config: CONFIG_FLAG,
    env: ENV_FLAG,
    local: { type: "boolean", short: "l", summary: "turn off remote bindings, which need a login" },
    remote: { type: "boolean", short: "r", summary: "run the Worker on Cloudflare, with the real VPC bindings" },
    control: {
      type: "boolean",
      value: "PORT",
      summary: "let other programs direct the network over HTTP on this loopback port, 8474 if left out",
    },
    ui: { type: "boolean", summary: "serve the page that shows the traffic, also where CI is set" },
    "no-ui": { type: "boolean", summary: "don't serve that page" },
    "ui-port": { type: "string", value: "PORT", summary: "serve it on this loopback port" },
    record: {
      type: "boolean",
      value: "FILE",
      summary: "record all HTTP calls of the session in this HAR file, vpc.har if left out",
    },
  },
  examples: [
    { args: "", summary: "for the wrangler config here" },
    { args: "--env staging --port 8788", summary: "in an environment; wrangler dev reads the port" },
    { args: "--control", summary: "with an API for tests in any language; it prints the URL" },
    { args: "--record users.har", summary: "with a recording, which is written at the end" },
    { args: "-c api/wrangler.jsonc -c jobs/wrangler.toml", summary: "several Workers, each with its own vpc config" },
  ],
  exitCodes: {
    0: "wrangler ended without an error",
    1: "an error in a config or in wrangler, or wrangler is not installed",
    2: "the command line is invalid, or a config that it names does not exist",
  },
  run: ({ argv }, terminal) => runDev(argv, terminal),
});
