/**
 * A HAR file that answers requests. Reads the file when it is first asked, and again when it has changed; then the order of
 * repeated requests begins anew.
 *
 *   request ─ requestKeys ─▶ entries of that key ─ in turn ─▶ readEntry ─▶ answer
 */

import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";

import type { Field } from "../egress/http/headers.ts";
import type { CollectedEntries } from "./collect-entries.ts";
import { HarProblem, MISSING } from "./har-problem.ts";
import { indexHar } from "./index-har.ts";
import { type IndexedEntry, recordedOrigin } from "./indexed-entry.ts";
import { nearestEntry } from "./nearest-entry.ts";
import { type ReadEntry, readEntry } from "./read-entry.ts";
import { readFields } from "./recorded-request.ts";
import { type ComparedRequest, type MatchSettings, requestKeys, valueOf } from "./request-key.ts";

export interface RecordingOptions extends MatchSettings {
  /** Absolute path. */
  file: string;
  /** What the file was recorded from, if the config says so: its origins, as `recordedOrigin` writes them. */
  targetOrigins: readonly string[];
}

/** An entry that answers a request. Close it when the answer is sent. */
export interface FoundEntry {
  entry: IndexedEntry;
  read: ReadEntry;
  file: FileHandle;
}

/** No entry answers a request. */
export interface Miss {
  /** The entry that comes nearest, and what differs; absent if there are none. */
  nearest?: string;
}

interface Version {
  /** Differs if the file has changed. */
  stamp: string;
  index: Promise<KeyedIndex>;
  /** Which entry of each list is next. */
  turns: Map<IndexedEntry | undefined, number>;
}

export class Recording {
  readonly #options: RecordingOptions;
  #version: Version | undefined;

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  get folder(): string {
    return path.dirname(this.#options.file);
  }

  /** The order of repeated requests begins anew. */
  restart(): void {
    this.#version?.turns.clear();
  }

  /** @throws {HarProblem} if the file can't be replayed */
  async check(): Promise<CollectedEntries> {
    const file = await this.#open();
    try {
      return await (
        await this.#versionOf(file)
      ).index;
    } finally {
      await file.close();
    }
  }

  /** Takes no turn. @throws {HarProblem} as `find` does */
  async hasAnswer(request: ComparedRequest): Promise<boolean> {
    const found = await this.find(request, { isPeek: true });
    if (!("entry" in found)) return false;
    await found.file.close();
    return true;
  }

  /** @throws {HarProblem} if the file can't be replayed, or has changed while it was read */
  async find(request: ComparedRequest, { isPeek = false }: { isPeek?: boolean } = {}): Promise<FoundEntry | Miss> {
    const file = await this.#open();
    try {
      const { index: indexing, turns } = await this.#versionOf(file);
      const index = await indexing;
      const settings = { ...this.#options, ignore: new Set([...this.#options.ignore, ...index.redacted]) };
      const candidates = this.#candidatesFor(request, { ...index, settings });
      const entry =
        candidates && (await takeTurn(candidates, { request, turns: isPeek ? new Map(turns) : turns, file }));
      if (entry !== undefined) return { entry, read: await readEntry(file, entry), file };
      const nearest = await nearestEntry(request, {
        ...index,
        settings,
        file,
        origins: this.#originsFor(request.url, index.origins),
      });
      await file.close();
      return nearest === undefined ? {} : { nearest };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    try {
      return await open(this.#options.file);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new HarProblem(code === "ENOENT" ? MISSING : `it can't be read: ${String(code)}`);
    }
  }

  async #versionOf(file: FileHandle): Promise<Version> {
    const found = await file.stat();
    if (found.isDirectory()) throw new HarProblem("it is a folder");
    const stamp = [found.mtimeMs, found.size, found.ino].join(" ");
    if (this.#version?.stamp === stamp) return this.#version;
    const version: Version = { stamp, index: this.#index(file), turns: new Map() };
    this.#version = version;
    // A file that it names may appear later.
    version.index.catch(() => {
      if (this.#version === version) this.#version = undefined;
    });
    return version;
  }

  async #index(file: FileHandle): Promise<KeyedIndex> {
    const index = await indexHar(file, this.folder, this.#options);
    return { ...index, byKey: Map.groupBy(index.entries, ({ origin, key }) => `${origin} ${key}`) };
  }

  #candidatesFor(
    request: ComparedRequest,
    { byKey, origins, paths, settings }: KeyedIndex & { settings: MatchSettings },
  ): IndexedEntry[] | undefined {
    const { pathname } = request.url;
    const standing = [...paths].flatMap(([path, expression]) => (expression.test(pathname) ? [path] : []));
    const keys = requestKeys(request, [pathname, ...standing], settings);
    for (const origin of this.#originsFor(request.url, origins)) {
      for (const key of keys) {
        const candidates = byKey.get(`${origin} ${key}`);
        if (candidates !== undefined) return candidates;
      }
    }
    return undefined;
  }

  /** Those whose entries may answer: what the Worker wrote, what was recorded from, and the only one of the file. */
  #originsFor(url: URL, recorded: ReadonlySet<string>): string[] {
    const only = recorded.size === 1 ? [...recorded] : [];
    return [recordedOrigin(url), ...this.#options.targetOrigins, ...only];
  }
}

interface KeyedIndex extends CollectedEntries {
  /** In the order of the file, by origin and key. */
  byKey: ReadonlyMap<string, IndexedEntry[]>;
}

/** @returns the next of them that can answer the request, or the last one; undefined: none can */
async function takeTurn(
  candidates: readonly IndexedEntry[],
  {
    request,
    turns,
    file,
  }: { request: ComparedRequest; turns: Map<IndexedEntry | undefined, number>; file: FileHandle },
): Promise<IndexedEntry | undefined> {
  const usable = new Set<IndexedEntry>();
  for (const entry of candidates) if (await canAnswer(entry, request, file)) usable.add(entry);
  // The list is known by its first entry.
  const turn = turns.get(candidates[0]) ?? 0;
  const next = candidates.findIndex((entry, position) => position >= turn && usable.has(entry));
  const chosen = next === -1 ? candidates.findLastIndex((entry) => usable.has(entry)) : next;
  if (chosen !== -1) turns.set(candidates[0], chosen + 1);
  return candidates[chosen];
}

/** Some answers only make sense to a request with certain header fields (RFC 9110 §15.3.7, §15.4.5). */
async function canAnswer(entry: IndexedEntry, { headers }: ComparedRequest, file: FileHandle): Promise<boolean> {
  switch (entry.status) {
    case 304:
      // A browser keeps the body, so that the entry can answer any request.
      return isConditional(headers) || hasBody(await readEntry(file, entry));
    case 206: {
      const { request } = await readEntry(file, entry);
      return valueOf(readFields(request.headers ?? []), "range") === valueOf(headers, "range");
    }
    default:
      return true;
  }
}

export function isConditional(headers: readonly Field[]): boolean {
  return ["if-none-match", "if-modified-since"].some((name) => valueOf(headers, name) !== undefined);
}

function hasBody({ text, bodyFile }: ReadEntry): boolean {
  return (text !== undefined && text.end - text.start > '""'.length) || bodyFile !== undefined;
}
