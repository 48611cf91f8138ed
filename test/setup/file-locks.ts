/** Locks files as an antivirus on Windows does: changes fail for a while. */

import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";

type Change = "renameSync" | "rmSync" | "writeFileSync";

export interface FileLock extends Disposable {
  /** The number of changes that failed. */
  readonly failed: number;
}

/** @param lock `isHeld`: whether a change of this path fails. `failed` is the number of earlier failures */
export function lockFiles(
  change: Change,
  lock: { code: "EPERM" | "EBUSY"; isHeld: (baseName: string, failed: number) => boolean },
): FileLock {
  const original = fs[change] as (...all: unknown[]) => unknown;
  let failed = 0;
  const locked = (...all: unknown[]): unknown => {
    if (!lock.isHeld(path.basename(String(all[0])), failed)) return original(...all);
    failed++;
    const { code } = lock;
    throw Object.assign(new Error(`${code}: resource busy or locked, ${change} '${String(all[0])}'`), { code });
  };
  const put = (made: unknown): void => {
    Reflect.set(fs, change, made);
    syncBuiltinESMExports();
  };
  put(locked);
  return {
    get failed() {
      return failed;
    },
    [Symbol.dispose]: () => put(original),
  };
}
