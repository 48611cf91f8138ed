/** The list of all commands. */

import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { completion } from "./completion.ts";
import { dev } from "./dev.ts";
import { diff } from "./diff.ts";
import { explainCommand } from "./explain.ts";
import { importRecords } from "./import.ts";
import { fault } from "./fault.ts";
import { init } from "./init.ts";
import { requests } from "./requests.ts";
import { reset } from "./reset.ts";
import { routes } from "./routes.ts";

/** In the order of the usage. */
export const commands: readonly Command[] = [
  dev,
  init,
  check,
  explainCommand,
  routes,
  importRecords,
  requests,
  fault,
  reset,
  diff,
  completion,
];
