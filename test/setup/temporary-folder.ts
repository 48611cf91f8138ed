/**
 * Chooses the folder for temporary files before all tests, so that its path is the one that every program reports. On Windows
 * it may be short (`RUNNER~1`), on macOS it is behind a link and too long for Unix sockets.
 */

import { realpathSync } from "node:fs";
import os from "node:os";

export default function chooseTemporaryFolder(): void {
  const folder = realpathSync.native(process.platform === "darwin" ? "/tmp" : os.tmpdir());
  for (const name of ["TMPDIR", "TEMP", "TMP"]) process.env[name] = folder;
}
