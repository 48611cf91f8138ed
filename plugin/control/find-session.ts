/**
 * Finds the running session of a folder.
 */

import { realpathSync } from "node:fs";
import path from "node:path";

import { hasCode } from "../system/error.ts";
import { findAnnounced } from "./announcement.ts";
import { type ControlClient, createClient } from "./client.ts";

/** There is no session to direct. The message says where there are some. */
export class NoSessionError extends Error {
  override readonly name = "NoSessionError";
}

/**
 * The newest session of the folder, or of the nearest one above it.
 *
 * @throws {NoSessionError}
 */
export async function findSession(folder: string): Promise<ControlClient> {
  const announced = await findAnnounced();
  for (const each of foldersFrom(realpathSync(folder))) {
    for (const { folders, address } of announced) {
      if (!folders.includes(each)) continue;
      const client = createClient(address);
      if (await isThere(client)) return client;
    }
  }
  const others = [...new Set(announced.flatMap(({ folders }) => folders.slice(0, 1)))];
  const where = others.length === 0 ? "" : ` Sessions run in ${others.join(", ")}.`;
  throw new NoSessionError(`there is no session in ${folder}. Start it with "miniflare-vpc dev".${where}`);
}

function* foldersFrom(folder: string): Generator<string> {
  yield folder;
  const above = path.dirname(folder);
  if (above !== folder) yield* foldersFrom(above);
}

/** A killed process can't take its announcement back. */
async function isThere(client: ControlClient): Promise<boolean> {
  try {
    await client.ask("GET", "/version");
    return true;
  } catch (error) {
    if (hasCode(error, "ECONNREFUSED", "ENOENT", "ECONNRESET")) return false;
    throw error;
  }
}
