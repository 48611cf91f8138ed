/** The request of an entry, as tools write it. */

import type { Field } from "../egress/http/headers.ts";
import type { HarField, HarPostData } from "./har.ts";
import { valueOf } from "./request-key.ts";

export function readFields(fields: readonly HarField[]): Field[] {
  // HTTP/2 has names such as ":authority", which are no header fields.
  return fields.filter(({ name }) => !name.startsWith(":")).map(({ name, value }) => [name, value]);
}

/** @returns the bytes, or the file that has them; undefined: they were not recorded */
export function recordedBody(
  postData: HarPostData | undefined,
  headers: readonly Field[],
): Buffer | { file: string } | undefined {
  const { text = "", encoding, params = [], _file: file } = postData ?? {};
  if (file !== undefined) return { file };
  if (text !== "") return Buffer.from(text, encoding === "base64" ? "base64" : "utf8");
  // Some tools give a form in this way only; a multipart one can't be rebuilt from it.
  if (params.length > 0 && /urlencoded/i.test(postData?.mimeType ?? ""))
    return Buffer.from(
      new URLSearchParams(params.map(({ name, value = "" }): [string, string] => [name, value])).toString(),
    );
  const length = valueOf(headers, "content-length");
  const hadBody =
    Number(length ?? 0) > 0 ||
    valueOf(headers, "transfer-encoding") !== undefined ||
    (length === undefined && (postData?.mimeType ?? "") !== "");
  return hadBody ? undefined : Buffer.alloc(0);
}
