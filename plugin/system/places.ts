/** Finds the folder entries that lead to a file: each link on the way, and the file itself. Watches nothing. */

import { lstatSync, readlinkSync } from "node:fs";
import path from "node:path";

/** An entry of a folder that exists and isn't a link. */
export interface FolderEntry {
  folder: string;
  name: string;
}

/** Linux follows the same number of links. */
const MAX_LINKS = 40;

/** The places where a change affects the file: the file itself, each link on the way, or the first missing part of its path. */
export function placesOf(file: string): FolderEntry[] {
  const places: FolderEntry[] = [];
  let folder = path.parse(path.resolve(file)).root;
  const parts = partsOf(path.resolve(file));
  for (let links = 0, name = parts.shift(); name !== undefined; name = parts.shift()) {
    const place = path.join(folder, name);
    const entry = entryAt(place);
    if (entry.kind === "link" && ++links <= MAX_LINKS) {
      places.push({ folder, name });
      const target = path.resolve(folder, entry.target);
      folder = path.parse(target).root;
      parts.unshift(...partsOf(target));
    } else if (entry.kind !== "folder" || parts.length === 0) {
      places.push({ folder, name });
      break;
    } else {
      folder = place;
    }
  }
  return places;
}

function partsOf(absolute: string): string[] {
  return absolute.slice(path.parse(absolute).root.length).split(path.sep).filter(Boolean);
}

type Entry = { kind: "link"; target: string } | { kind: "folder" | "other" };

/** Also returns "other" for an invalid name, because a compose file may contain any name. */
function entryAt(place: string): Entry {
  try {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats?.isSymbolicLink()) return { kind: "link", target: readlinkSync(place) };
    return { kind: stats?.isDirectory() ? "folder" : "other" };
  } catch {
    return { kind: "other" };
  }
}
