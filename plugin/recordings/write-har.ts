/**
 * Writes recorded entries as a HAR file, with the bodies in it or beside it.
 */

import { createHash } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import path from "node:path";

import manifest from "../../package.json" with { type: "json" };
import { replaceFile } from "../system/replace-file.ts";
import type { Har, HarContent, HarEntry, HarPostData } from "./har.ts";
import { DEFAULT_STYLE, type HarStyle } from "./recording-spec.ts";

/** What is around the entries. */
export function emptyHar(): Har {
  return {
    log: { version: "1.2", creator: { name: manifest.name, version: manifest.version }, pages: [], entries: [] },
  };
}

/**
 * Replaces the file as a whole.
 *
 * @param entries one after the other, because all together need not fit into one text
 * @throws the system's error; then no file is left that was not there
 */
export function writeHar(file: string, entries: Iterable<HarEntry>, style: HarStyle = DEFAULT_STYLE): void {
  const attached: string[] = [];
  const attach = (bytes: Buffer, mimeType: string): string => {
    const name = `${createHash("sha1").update(bytes).digest("hex")}.${extensionOf(mimeType)}`;
    const place = path.join(path.dirname(file), name);
    const isNew = !existsSync(place);
    if (isNew || !attached.includes(place)) replaceFile(place, [bytes]);
    if (isNew) attached.push(place);
    return name;
  };
  try {
    replaceFile(file, piecesOf(entries, { style, attach }));
  } catch (error) {
    for (const place of attached) rmSync(place, { force: true });
    throw error;
  }
}

type Attach = (bytes: Buffer, mimeType: string) => string;

function* piecesOf(
  entries: Iterable<HarEntry>,
  { style, attach }: { style: HarStyle; attach: Attach },
): Generator<string> {
  const [head = "", tail = ""] = JSON.stringify(emptyHar(), undefined, 2).split(/(?<="entries": \[)(?=\])/);
  yield head;
  let isFirst = true;
  for (const given of entries) {
    const attached = style.content === "attach" ? withFiles(given, attach) : given;
    const entry = style.mode === "minimal" ? toMinimal(attached) : attached;
    yield `${isFirst ? "" : ","}\n      `;
    // A line break inside of a text is escaped.
    yield JSON.stringify(entry, undefined, 2).replaceAll("\n", "\n      ");
    isFirst = false;
  }
  yield isFirst ? tail : `\n    ${tail}`;
  yield "\n";
}

function withFiles(entry: HarEntry, attach: Attach): HarEntry {
  const { request, response } = entry;
  const { postData } = request;
  return {
    ...entry,
    request: postData === undefined ? request : { ...request, postData: toFile(postData, attach) },
    response: { ...response, content: toFile(response.content, attach) },
  };
}

function toFile<Body extends HarPostData | HarContent>(body: Body, attach: Attach): Body {
  const { text, encoding, ...rest } = body;
  if (text === undefined || text === "") return body;
  return { ...rest, _file: attach(Buffer.from(text, encoding ?? "utf8"), body.mimeType) } as Body;
}

const EXTENSIONS: [RegExp, string][] = [
  [/json/i, "json"],
  [/html/i, "html"],
  [/xml/i, "xml"],
  [/javascript/i, "js"],
  [/css/i, "css"],
  [/csv/i, "csv"],
  [/^text\//i, "txt"],
  [/png/i, "png"],
  [/jpe?g/i, "jpeg"],
  [/pdf/i, "pdf"],
];

function extensionOf(mimeType: string): string {
  return EXTENSIONS.find(([pattern]) => pattern.test(mimeType))?.[1] ?? "dat";
}

/** Keeps the members that HAR 1.2 requires, and what says who called whom. */
function toMinimal(entry: HarEntry): HarEntry {
  const { startedDateTime, request, response, cache, _binding, _worker, _resourceType, _webSocketMessages, comment } =
    entry;
  const unknown = { cookies: [], headersSize: -1, bodySize: -1 };
  const { compression: _, ...content } = response.content;
  return {
    startedDateTime,
    time: -1,
    request: { ...request, ...unknown },
    response: { ...response, ...unknown, content: { ...content, size: -1 } },
    cache,
    timings: { send: -1, wait: -1, receive: -1 },
    ...(_binding !== undefined && { _binding }),
    ...(_worker !== undefined && { _worker }),
    ...(_resourceType !== undefined && { _resourceType }),
    ...(_webSocketMessages !== undefined && { _webSocketMessages }),
    ...(comment !== undefined && { comment }),
  };
}
