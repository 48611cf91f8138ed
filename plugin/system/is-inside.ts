/** Whether a file or a folder is inside of a folder, or is it. Looks at the paths only. */

import path from "node:path";

/** @param paths `path.win32` for paths of Windows */
export function isInside(
  folder: string,
  file: string,
  paths: Pick<typeof path, "relative" | "isAbsolute" | "sep"> = path,
): boolean {
  const relative = paths.relative(folder, file);
  // From one drive to another there is no relative path.
  return relative !== ".." && !relative.startsWith(`..${paths.sep}`) && !paths.isAbsolute(relative);
}
