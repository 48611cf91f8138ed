/** Replaces secrets that became known after an entry was made. */

import type { HarEntry } from "./har.ts";
import { type Redactor, isUrlField } from "./redact.ts";
import { queryOf } from "./to-har-entry.ts";

/** @param entry is changed. @returns it */
export function redactKnown(entry: HarEntry, redactor: Redactor): HarEntry {
  const inBytes = (base64: string): string => redactor.bytes(Buffer.from(base64, "base64")).toString("base64");
  const inBody = (body: { text?: string; encoding?: "base64" } | undefined): void => {
    if (body?.text !== undefined)
      body.text = body.encoding === "base64" ? inBytes(body.text) : redactor.known(body.text);
  };
  const { request, response, _webSocketMessages: messages = [] } = entry;
  const { postData } = request;
  const { content } = response;
  request.url = redactor.knownUrl(request.url);
  request.queryString = queryOf(request.url);
  response.redirectURL = redactor.knownUrl(response.redirectURL);
  for (const field of [...request.headers, ...response.headers])
    field.value = isUrlField(field.name) ? redactor.knownUrl(field.value) : redactor.known(field.value);
  for (const field of postData?.params ?? []) field.value = redactor.known(field.value ?? "");
  for (const message of messages)
    message.data = message.opcode === 1 ? redactor.known(message.data) : inBytes(message.data);
  inBody(postData);
  const before = content.text;
  inBody(content);
  if (content.text === before) return entry;
  content.size = Buffer.byteLength(content.text ?? "", content.encoding ?? "utf8");
  content.compression = content.size - response.bodySize;
  return entry;
}
