/** A row of a table of imports. */

export interface ImportCase {
  title: string;
  /** Files beside a wrangler config that has the service USERS_API and, in an environment, a tunnel. */
  files: Record<string, string>;
  /** Default: the names of the files. */
  args?: string;
  /** vpc.jsonc before the import. */
  config?: string;
  /** vpc.jsonc after the import; undefined if it doesn't exist. */
  expected: string | undefined;
  out?: string[];
  err?: string[];
  exit?: number;
}

/** The last lines of the output if an entry was added. */
export const NEXT: string[] = [
  "",
  'Next: add a "target" to each service, or routes to its network.',
  'Type "miniflare-vpc check" to see what is missing.',
];
