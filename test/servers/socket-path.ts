/** Where a server of a test listens without a port. */

import path from "node:path";

/** @returns a Unix socket in a folder, or on Windows a named pipe with the folder's name */
export function socketIn(folder: string, name: string): string {
  if (process.platform !== "win32") return path.join(folder, name);
  return String.raw`\\.\pipe\${path.basename(folder)}-${name}`;
}
