/** Makes HAR files of requests and answers. */

import { writeFile } from "node:fs/promises";
import path from "node:path";

import type { HarContent, HarEntry, HarField, HarPostData } from "../../plugin/recordings/har.ts";

export interface Recorded {
  method?: string;
  /** Default: of `http://users.internal`. */
  url: string;
  headers?: Record<string, string>;
  body?: string | HarPostData;
  status?: number;
  statusText?: string;
  answerHeaders?: Record<string, string> | [string, string][];
  answer?: string | Partial<HarContent>;
  more?: Partial<HarEntry>;
}

export function entryOf({
  method = "GET",
  url,
  headers = {},
  body,
  status = 200,
  more,
  ...answered
}: Recorded): HarEntry {
  const content = typeof answered.answer === "string" ? { text: answered.answer } : (answered.answer ?? {});
  const message = { httpVersion: "HTTP/1.1", cookies: [], headersSize: -1, bodySize: -1 };
  const mimeType = headers["content-type"] ?? "text/plain";
  const postData = typeof body === "string" ? { mimeType, text: body } : body;
  return {
    startedDateTime: "2026-11-30T10:00:00.000Z",
    time: 1,
    request: {
      ...message,
      method,
      url: new URL(url, "http://users.internal").href,
      headers: toHarFields(headers),
      queryString: [],
      ...(postData && { postData }),
    },
    response: {
      ...message,
      status,
      statusText: answered.statusText ?? "OK",
      headers: toHarFields(answered.answerHeaders ?? { "content-type": "text/plain" }),
      content: { size: content.text?.length ?? 0, mimeType: "text/plain", ...content },
      redirectURL: "",
    },
    cache: {},
    timings: { send: 0, wait: 1, receive: 0 },
    ...more,
  };
}

function toHarFields(given: Record<string, string> | [string, string][]): HarField[] {
  return (Array.isArray(given) ? given : Object.entries(given)).map(([name, value]) => ({ name, value }));
}

export function harOf(recorded: readonly Recorded[]): string {
  const entries = recorded.map(entryOf);
  return JSON.stringify({ log: { version: "1.2", creator: { name: "test", version: "1" }, entries } }, null, 2);
}

/** @returns the absolute path of the file */
export async function writeHar(folder: string, recorded: readonly Recorded[], name = "users.har"): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, harOf(recorded));
  return file;
}
