/** A temporary folder with vpc configs in it, and a session whose Workers live there. */

import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { formatDiagnostics } from "../../plugin/diagnostics.ts";
import { type LoadOptions, type LoadedTable, loadTable } from "../../plugin/load.ts";
import { ON_THE_HOST, readIn } from "./whereabouts.ts";
import type { SessionWorker, VpcBinding } from "../../plugin/model.ts";

export const SERVICE_ID = "e6a0817c-79c5-40ca-9776-a1c019defe70";
export const TUNNEL_ID = "550e8400-e29b-41d4-a716-446655440000";

export interface VpcFolder extends AsyncDisposable {
  folder: string;
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** A Worker of this folder. */
  worker(workerName: string, bindings?: VpcBinding[]): SessionWorker;
  load(workers: SessionWorker[], options?: Partial<LoadOptions>): Promise<LoadedTable>;
  /** The diagnostics as a developer reads them. `FOLDER` replaces the path of this folder. */
  format(loaded: Pick<LoadedTable, "diagnostics">): string[];
}

/** @param files name to content */
export async function createFolder(files: Record<string, string> = {}): Promise<VpcFolder> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), "vpc-config-")));
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  };
  for (const [name, text] of Object.entries(files)) await write(name, text);
  return {
    folder,
    write,
    worker: (workerName, bindings = []) => ({ workerName, rootPath: folder, bindings }),
    load: (workers, options) =>
      loadTable({
        workers,
        source: undefined,
        env: undefined,
        generation: 1,
        readModel: readIn(ON_THE_HOST),
        ...options,
      }),
    format({ diagnostics }) {
      const text = hideFolder(formatDiagnostics(diagnostics, folder), folder);
      return text === "" ? [] : text.split("\n");
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** @returns the text with `FOLDER` in place of the folder, and with slashes in the paths below it */
export function hideFolder(text: string, folder: string): string {
  const hidden = text.replaceAll(folder, "FOLDER");
  return path.sep === "/" ? hidden : hidden.replace(/FOLDER[^\s"':]*/g, (name) => name.replaceAll("\\", "/"));
}

export function serviceBinding(bindingName: string, id: string = SERVICE_ID): VpcBinding {
  return { bindingName, bindingType: "vpc-service", id };
}

export function networkBinding(bindingName: string, id: string = TUNNEL_ID): VpcBinding {
  return { bindingName, bindingType: "vpc-network", id };
}
