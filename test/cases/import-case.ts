/** A row of a table of imports. */

export interface ImportCase {
  title: string;
  /** Files besides a wrangler config with the service USERS_API and, in an environment, a tunnel. */
  files: Record<string, string>;
  /** Default: the names of the files. */
  args?: string;
  /** vpc.jsonc as it is before. */
  config?: string;
  /** vpc.jsonc as it is then; undefined: there is none. */
  expected: string | undefined;
  out?: string[];
  err?: string[];
  exit?: number;
}

/** What the last lines say when something was added. */
export const NEXT: string[] = [
  "",
  'Next: say where they are here, with a "target" in the service or routes in its network.',
  'Type "miniflare-vpc check" to see what is missing.',
];
