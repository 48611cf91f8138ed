/** Whether this runs under CI, as its services say: GitHub, GitLab and the others set `CI` to "true". */
export function isCi({ CI }: NodeJS.ProcessEnv = process.env): boolean {
  return CI !== undefined && CI !== "" && CI !== "false" && CI !== "0";
}
