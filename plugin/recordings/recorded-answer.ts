/**
 * Makes the answer of an entry again, so that the Worker sees what it saw when it was recorded: the body is encoded again,
 * and is sent as it is read from the file.
 */

import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";

import type { Field } from "../egress/http/headers.ts";
import { WITHOUT_BODY } from "../scenario/answer.ts";
import { recordedContent } from "./recorded-content.ts";
import { HarProblem } from "./har-problem.ts";
import { recordedOrigin } from "./indexed-entry.ts";
import { type FoundEntry, isConditional } from "./recording.ts";
import { readFields } from "./recorded-request.ts";
import { type ComparedRequest, valueOf } from "./request-key.ts";

/** They belong to the connection, which is another one (RFC 9110 §7.6.1), or follow from the body. */
const NOT_REPEATED = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "trailer",
  "content-length",
]);

/** @param folder the one of the file. The file is closed when the body has been read. */
export async function recordedAnswer(
  found: FoundEntry,
  { request, folder }: { request: ComparedRequest; folder: string },
): Promise<Response> {
  const { entry, read, file } = found;
  const recorded = readFields(read.response.headers ?? []);
  // A browser lists a body that its cache had as the body of a 304.
  const isFromCache = entry.status === 304 && !isConditional(request.headers);
  const status = isFromCache ? 200 : entry.status;
  const headers = repeatedHeaders(found, request);
  if (isFromCache && read.response.content.mimeType !== "" && valueOf(recorded, "content-type") === undefined)
    headers.set("content-type", read.response.content.mimeType);
  const length = valueOf(recorded, "content-length");
  const init = { status, statusText: isFromCache ? "OK" : (read.response.statusText ?? ""), headers };
  if (request.method === "HEAD" || WITHOUT_BODY.has(status)) {
    await file.close();
    if (length !== undefined) headers.set("content-length", length);
    return new Response(null, init);
  }
  const encoding = valueOf(recorded, "content-encoding");
  const content = await recordedContent(found, { folder, encoding, isMeasured: length !== undefined });
  if (!content.isEncoded) headers.delete("content-encoding");
  if (content.length !== undefined) headers.set("content-length", String(content.length));
  return new Response(Readable.toWeb(content.body) as ReadableStream, init);
}

/** Those that don't belong to the recorded connection. */
export function repeatedFields({ read }: Pick<FoundEntry, "read">): Field[] {
  return (
    readFields(read.response.headers ?? [])
      .filter(([name]) => !NOT_REPEATED.has(name.toLowerCase()))
      // Some tools write several fields as one with line breaks.
      .flatMap(([name, value]) => value.split("\n").map((line): Field => [name, line]))
  );
}

function repeatedHeaders(found: FoundEntry, { url }: ComparedRequest): Headers {
  const headers = new Headers();
  const { entry, read } = found;
  const { redirectURL = "" } = read.response;
  const fields = repeatedFields(found);
  const location = valueOf(fields, "location") ?? (redirectURL === "" ? undefined : redirectURL);
  for (const [name, value] of fields)
    if (name.toLowerCase() !== "location") append(headers, { name, value, number: entry.number });
  if (location !== undefined)
    append(headers, { name: "location", value: moveLocation(location, entry.origin, url), number: entry.number });
  return headers;
}

/** @throws {HarProblem} if it isn't one that HTTP allows */
function append(headers: Headers, { name, value, number }: { name: string; value: string; number: number }): void {
  try {
    headers.append(name, toBytes(value));
  } catch {
    throw new HarProblem(
      `its entry ${number} has the header field ${JSON.stringify(`${name}: ${value}`)}, which HTTP does not allow`,
    );
  }
}

/** A field consists of bytes, which are UTF-8 in most cases. @returns a character for each, from a text that may have that form already */
function toBytes(value: string): string {
  const isBytes = /^[\0-\xff]*$/.test(value) && isUtf8(Buffer.from(value, "latin1"));
  return isBytes ? value : Buffer.from(value).toString("latin1");
}

/** A redirect within the recorded origin stays within the one that the Worker asks. */
export function moveLocation(location: string, fromOrigin: string, asked: URL): string {
  if (!URL.canParse(location)) return location;
  const url = new URL(location);
  if (recordedOrigin(url) !== fromOrigin || recordedOrigin(asked) === fromOrigin) return location;
  return asked.origin + url.pathname + url.search + url.hash;
}
