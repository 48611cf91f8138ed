/** Every command there is. */

import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { completion } from "./completion.ts";
import { dev } from "./dev.ts";
import { explain } from "./explain.ts";
import { importRecords } from "./import.ts";
import { init } from "./init.ts";
import { routes } from "./routes.ts";

/** In the order of the usage. */
export const commands: readonly Command[] = [dev, init, check, explain, routes, importRecords, completion];
