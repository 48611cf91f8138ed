/** A row of a table of compose files, with the expected routes and diagnostics. */

import type { NetworkEntry } from "../../plugin/config.ts";
import type { Whereabouts } from "../../plugin/system/whereabouts.ts";

export interface ComposeCase {
  title: string;
  /** The compose files and the files beside them, or the text of a single `compose.yaml`. */
  files: string | Record<string, string>;
  /** The value of `"compose"`. Default: `compose.yaml`. */
  compose?: NetworkEntry["compose"];
  /** Default: on the host. */
  whereabouts?: Whereabouts;
  /** The user's own routes. */
  routes?: Record<string, string>;
  /** Variables of the process. */
  environment?: Record<string, string>;
  /** All routes as `destination → target`, the user's own first. */
  expected: string[];
  /** One line each, as printed. */
  diagnostics?: string[];
}

/** The note that shows the short syntax of a port. */
export const PORT_FORMS = '    Write "5432:5432", "127.0.0.1:5432:5432" or "8000-8009:8000-8009".';
