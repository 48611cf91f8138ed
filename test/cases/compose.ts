/** A row of a table of compose files: the routes they stand for, and what is said about them. */

export interface ComposeCase {
  title: string;
  /** The compose files and what lies beside them; `compose.yaml` alone: its text. */
  files: string | Record<string, string>;
  /** What `"compose"` says. Default: `compose.yaml`. */
  compose?: string | string[];
  /** Routes of the user's own. */
  routes?: Record<string, string>;
  /** Variables of the process. */
  environment?: Record<string, string>;
  /** All routes as `destination → target`, those of the user's own first. */
  expected: string[];
  /** Line by line, as a developer reads them. */
  diagnostics?: string[];
}

/** What the short syntax of a port may look like. */
export const PORT_FORMS = '    Write "5432:5432", "127.0.0.1:5432:5432" or "8000-8009:8000-8009".';
