/** A row of a table of configs that are refused. */

export interface InvalidConfig {
  title: string;
  /** The name of its file; default: vpc.jsonc. */
  file?: string;
  config: string;
  /** Its diagnostics, formatted, line by line. `FOLDER` stands for the folder it is in. */
  expected: string[];
}
