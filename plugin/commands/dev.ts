/** The declaration of `dev`, which hands all of its arguments to wrangler. */

import { runDev } from "../dev/dev.ts";
import type { Command } from "./command.ts";

export const dev: Command = {
  name: "dev",
  summary: "wrangler dev, with VPC bindings served on this machine",
  description: "",
  positionals: [],
  flags: {},
  examples: [],
  exitCodes: {},
  isPassedOn: true,
  run: runDev,
};
