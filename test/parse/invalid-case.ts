/** A row of a table of invalid configs. */

export interface InvalidConfig {
  title: string;
  /** The name of the config's file. Default: vpc.jsonc. */
  file?: string;
  config: string;
  /** The formatted diagnostics, one line each. `FOLDER` replaces the path of the config's folder. */
  expected: string[];
}
