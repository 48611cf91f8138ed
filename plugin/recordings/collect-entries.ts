/**
 * Collects the entries of a HAR file while it is scanned: where each one is, and which requests it answers. Keeps no bodies.
 */

import { isBodiless } from "../egress/http/body-framing.ts";
import { checkBodyFile, readBodyFile } from "./body-file.ts";
import type { HarField, HarPostData } from "./har.ts";
import { HarProblem } from "./har-problem.ts";
import { type IndexedEntry, recordedOrigin } from "./indexed-entry.ts";
import { recordedBody, readFields } from "./recorded-request.ts";
import { findRedacted, hasRedacted, pathExpression } from "./redacted.ts";
import { type MatchSettings, contentOf, recordedKey, valueOf as headerOf } from "./request-key.ts";
import type { JsonKind, JsonPath, JsonVisitor, ScannedValue } from "./scan-json.ts";

export interface CollectedEntries {
  /** Those that can be replayed, in the order of the file. */
  entries: readonly IndexedEntry[];
  /** Their origins. */
  origins: ReadonlySet<string>;
  /** Names whose values are not in the file, because they were secrets. Lower case. */
  redacted: ReadonlySet<string>;
  /** Paths with a secret in them, and the expression for the paths that they stand for. */
  paths: ReadonlyMap<string, RegExp>;
  /** Entries whose answers have no body in the file, but had one. */
  withoutBody: number;
}

/** What is read of an entry before its end. Values have the types that `TYPES` names. */
interface Draft {
  isUpgrade: boolean;
  hasText: boolean;
  values: Map<string, { value: unknown; start: number }>;
}

/** The values that are read, by their path in an entry, and what each of them must be. */
const TYPES: Record<string, { kind: JsonKind; words: string }> = {
  "request.method": { kind: "string", words: "a text" },
  "request.url": { kind: "string", words: "a text" },
  "request.headers": { kind: "array", words: "a list" },
  "request.postData": { kind: "object", words: "an object" },
  "response.status": { kind: "scalar", words: "a number" },
  "response.content.size": { kind: "scalar", words: "a number" },
  "response.content._file": { kind: "string", words: "a text" },
};
const KEPT: Record<string, Set<unknown>> = {
  request: new Set(["method", "url", "postData"]),
  response: new Set(["status"]),
};
/** The depth of an entry: `log.entries[0]`. */
const ENTRY = 3;

export class EntryCollector implements JsonVisitor {
  readonly #folder: string;
  readonly #settings: MatchSettings;
  readonly #entries: IndexedEntry[] = [];
  readonly #origins = new Set<string>();
  readonly #redacted = new Set<string>();
  readonly #paths = new Map<string, RegExp>();
  #withoutBody = 0;
  #hasEntries = false;
  #draft: Draft = emptyDraft();
  /** What the files of entries are still needed for. */
  readonly #pending: (() => Promise<void>)[] = [];

  constructor(folder: string, settings: MatchSettings) {
    this.#folder = folder;
    this.#settings = settings;
  }

  begin(path: JsonPath): "enter" | "keep" | "skip" {
    if (path.length < ENTRY) {
      const isOnTheWay = (path.length < 1 || path[0] === "log") && (path.length < 2 || path[1] === "entries");
      return isOnTheWay ? "enter" : "skip";
    }
    if (path.length === ENTRY) {
      this.#draft = emptyDraft();
      return "enter";
    }
    const [, , , part, name, inner] = path;
    switch (path.length) {
      case ENTRY + 1:
        if (part === "_webSocketMessages") this.#draft.isUpgrade = true;
        return part === "request" || part === "response" ? "enter" : "skip";
      case ENTRY + 2:
        if (name === "content") return part === "response" ? "enter" : "skip";
        if (name === "headers" && part === "request") return this.#needsHeaders() ? "keep" : "skip";
        return KEPT[String(part)]?.has(name) === true ? "keep" : "skip";
      default:
        if (inner === "text") this.#draft.hasText = true;
        return inner === "size" || inner === "_file" ? "keep" : "skip";
    }
  }

  end(path: JsonPath, value: ScannedValue): void {
    const { kind, start, end, bytes } = value;
    switch (path.length) {
      case 0:
      case 1:
        if (kind !== "object")
          throw new HarProblem(
            `it is not a HAR file: ${path.length === 0 ? "its value" : '"log"'} is not an object`,
            start,
          );
        return;
      case 2:
        if (path[1] !== "entries") return;
        if (kind !== "array") throw new HarProblem('it is not a HAR file: "log.entries" is not a list', start);
        this.#hasEntries = true;
        return;
      case ENTRY:
        if (kind !== "object") throw new HarProblem(`its entry ${Number(path[2]) + 1} is not an object`, start);
        this.#add(Number(path[2]) + 1, { start, end });
        return;
      default:
    }
    if (bytes === undefined) return;
    const place = path.slice(ENTRY).join(".");
    const wanted = TYPES[place];
    if (wanted === undefined) return;
    const parsed: unknown = parse(bytes, start);
    if (kind !== wanted.kind || (kind === "scalar" && typeof parsed !== "number"))
      throw new HarProblem(
        `${JSON.stringify(place)} of its entry ${Number(path[2]) + 1} is not ${wanted.words}`,
        start,
      );
    this.#draft.values.set(place, { value: parsed, start });
  }

  /** @throws {HarProblem} if a file that an entry names is missing */
  async finish(): Promise<CollectedEntries> {
    if (!this.#hasEntries) throw new HarProblem('it is not a HAR file: it has no "log.entries"');
    for (const complete of this.#pending) await complete();
    return {
      entries: this.#entries,
      origins: this.#origins,
      redacted: this.#redacted,
      paths: this.#paths,
      withoutBody: this.#withoutBody,
    };
  }

  /** Most requests have no body, and few files are large because of those that do. */
  #needsHeaders(): boolean {
    const method = this.#draft.values.get("request.method")?.value;
    return this.#settings.headers.length > 0 || (method !== "GET" && method !== "HEAD");
  }

  #add(number: number, range: { start: number; end: number }): void {
    const { values, isUpgrade, hasText } = this.#draft;
    const valueOf = (place: string): unknown => values.get(place)?.value;
    for (const place of ["request.method", "request.url", "response.status"]) {
      if (!values.has(place)) throw new HarProblem(`its entry ${number} has no ${JSON.stringify(place)}`, range.start);
    }
    const url = this.#parseUrl(number);
    const status = valueOf("response.status") as number;
    // A call that failed has the status 0 or -1, and a browser also lists what isn't HTTP.
    if (status < FIRST_STATUS || !NETWORK_SCHEMES.has(url.protocol)) return;
    const entry: IndexedEntry = {
      ...range,
      number,
      method: valueOf("request.method") as string,
      origin: recordedOrigin(url),
      target: url.pathname + url.search,
      isUpgrade: isUpgrade || status === SWITCHING || url.protocol.startsWith("ws"),
      status,
      key: "",
    };
    this.#entries.push(entry);
    this.#origins.add(entry.origin);
    const file = values.get("response.content._file");
    if (file !== undefined)
      this.#pending.push(() => checkBodyFile({ folder: this.#folder, name: String(file.value), offset: file.start }));
    else if (
      !hasText &&
      (valueOf("response.content.size") as number) > 0 &&
      !isBodiless(entry, status) &&
      status !== SWITCHING
    )
      this.#withoutBody++;
    this.#setKey(entry, url);
  }

  #parseUrl(number: number): URL {
    const { value, start } = this.#draft.values.get("request.url") ?? { value: "", start: 0 };
    if (!URL.canParse(String(value)))
      throw new HarProblem(`the URL ${JSON.stringify(value)} of its entry ${number} is not an absolute URL`, start);
    return new URL(String(value));
  }

  #setKey(entry: IndexedEntry, url: URL): void {
    const { values } = this.#draft;
    const postData = values.get("request.postData");
    const headers = readFields((values.get("request.headers")?.value ?? []) as HarField[]);
    if (hasRedacted(url.pathname)) this.#paths.set(url.pathname, pathExpression(url.pathname));
    const set = (body: Buffer | undefined): void => {
      const { method, isUpgrade } = entry;
      const request = { method, url, isUpgrade, headers, body: body ?? Buffer.alloc(0) };
      const content = contentOf(request.body, headerOf(headers, "content-type") ?? "");
      for (const name of findRedacted(request, content)) this.#redacted.add(name);
      const isBodyKnown = body !== undefined && !(content.type === "bytes" && hasRedacted(body));
      entry.key = recordedKey(request, { isBodyKnown, settings: this.#settings });
    };
    const body = recordedBody((postData?.value ?? undefined) as HarPostData | undefined, headers);
    if (!(typeof body === "object" && "file" in body)) return set(body);
    this.#pending.push(async () =>
      set(await readBodyFile({ folder: this.#folder, name: body.file, offset: postData?.start })),
    );
  }
}

const FIRST_STATUS = 100;
const SWITCHING = 101;
const NETWORK_SCHEMES = new Set(["http:", "https:", "ws:", "wss:"]);

function emptyDraft(): Draft {
  return { isUpgrade: false, hasText: false, values: new Map() };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function parse(bytes: Buffer, start: number): unknown {
  // Most texts have no escape.
  if (bytes[0] === QUOTE && !bytes.includes(BACKSLASH)) return bytes.toString("utf8", 1, bytes.length - 1);
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new HarProblem(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`, start);
  }
}
