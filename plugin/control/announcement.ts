/**
 * Where the other processes of this user find a session: a file in the private directory of its process, which names the
 * session's folders and its socket.
 */

import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { readFile, readdir, rename, writeFile } from "node:fs/promises";
import type http from "node:http";
import path from "node:path";

import { privateDirectories } from "../egress/private-directory.ts";
import { type PrivatePlace, listenPrivately } from "../system/listen.ts";

/** Where to send requests, and the token that their paths begin with. */
export type ControlAddress = { token: string } & PrivatePlace;

export interface AnnouncedSession {
  /** Absolute paths without links. */
  folders: string[];
  address: ControlAddress;
  /** Milliseconds since 1970. */
  startedAt: number;
}

export interface Announcement {
  remove(): void;
}

/** Short, because macOS limits the path of a socket. */
const PREFIX = "c-";

/** Makes the server listen where only this user has access. */
export async function announce(
  server: http.Server,
  { folders, secret, privateDirectory }: { folders: string[]; secret: string; privateDirectory: string },
): Promise<Announcement> {
  const base = path.join(privateDirectory, `${PREFIX}${randomBytes(3).toString("hex")}`);
  const socketPath = `${base}.sock`;
  const place = await listenPrivately(server, socketPath);
  const session: AnnouncedSession = { folders, address: { ...place, token: secret }, startedAt: Date.now() };
  // Nobody reads half of it.
  await writeFile(`${base}.new`, JSON.stringify(session), { mode: 0o600 });
  await rename(`${base}.new`, `${base}.json`);
  return { remove: () => rmSync(`${base}.json`, { force: true }) };
}

/** @returns the newest first */
export async function findAnnounced(): Promise<AnnouncedSession[]> {
  const sessions: AnnouncedSession[] = [];
  for (const directory of await privateDirectories()) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names) {
      if (!name.startsWith(PREFIX) || !name.endsWith(".json")) continue;
      // A session may end at any time.
      const text = await readFile(path.join(directory, name), "utf8").catch(() => undefined);
      if (text !== undefined) sessions.push(JSON.parse(text) as AnnouncedSession);
    }
  }
  return sessions.toSorted((one, other) => other.startedAt - one.startedAt);
}
