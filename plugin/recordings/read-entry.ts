/** Reads one entry of a HAR file. The body of its answer stays in the file: it is read while it is sent. */

import type { FileHandle } from "node:fs/promises";

import type { HarContent, HarPostData, HarField, HarWebSocketMessage } from "./har.ts";
import { HarProblem } from "./har-problem.ts";
import { readPieces } from "./index-har.ts";
import type { IndexedEntry } from "./indexed-entry.ts";
import { type JsonPath, JsonScanner } from "./scan-json.ts";

/** Names of the wrangler config, when it was recorded. */
export interface RecordedCaller {
  bindingName: string;
  workerName?: string;
}

/** The file may lack any of it. */
export interface ReadEntry {
  request: { headers?: HarField[]; postData?: HarPostData };
  response: {
    statusText?: string;
    headers?: HarField[];
    redirectURL?: string;
    content: Omit<HarContent, "text" | "_file">;
  };
  /** Playwright's `_file`: the one with the body. */
  bodyFile?: string;
  messages: HarWebSocketMessage[];
  /** Who made the call, if the file says it. */
  caller?: RecordedCaller;
  /** Where the text of the answer's body is in the file, with its quotes. */
  text?: { start: number; end: number };
}

const BODY_FILE = "response.content._file";
const KEPT = new Set([
  "request.headers",
  "request.postData",
  "response.statusText",
  "response.headers",
  "response.redirectURL",
  "response.content.size",
  "response.content.mimeType",
  "response.content.encoding",
  BODY_FILE,
  "_binding",
  "_worker",
  "_webSocketMessages",
]);
const ENTERED = new Set(["", "request", "response", "response.content"]);

function placeInEntry(path: JsonPath): string {
  return path.join(".");
}

/** @throws {HarProblem} if the file has changed meanwhile */
export async function readEntry(file: FileHandle, { start, end }: IndexedEntry): Promise<ReadEntry> {
  const values: Record<string, unknown> = {};
  let text: ReadEntry["text"];
  const scanner = new JsonScanner(
    {
      begin(path) {
        const place = placeInEntry(path);
        if (ENTERED.has(place)) return "enter";
        return KEPT.has(place) ? "keep" : "skip";
      },
      end(path, value) {
        const place = placeInEntry(path);
        if (place === "response.content.text" && value.kind === "string") text = { start: value.start, end: value.end };
        if (value.bytes !== undefined) values[place] = JSON.parse(value.bytes.toString());
      },
    },
    start,
  );
  try {
    for await (const piece of readPieces(file, { start, end })) scanner.write(piece);
    scanner.end();
  } catch (error) {
    throw new HarProblem(error instanceof Error ? error.message : String(error), start);
  }
  const of = (place: string): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([each, value]) =>
        each.startsWith(`${place}.`) ? [[each.slice(place.length + 1), value]] : [],
      ),
    );
  return {
    request: of("request"),
    response: { ...of("response"), content: { size: -1, mimeType: "", ...of("response.content") } },
    ...(typeof values[BODY_FILE] === "string" && { bodyFile: values[BODY_FILE] }),
    messages: (values["_webSocketMessages"] ?? []) as HarWebSocketMessage[],
    ...(text && { text }),
    ...readCaller(values),
  };
}

function readCaller({ _binding, _worker }: Record<string, unknown>): Pick<ReadEntry, "caller"> {
  if (typeof _binding !== "string") return {};
  return { caller: { bindingName: _binding, ...(typeof _worker === "string" && { workerName: _worker }) } };
}
