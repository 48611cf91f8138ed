/** Finds what was a secret when a request was recorded. It is not in the file, so it can't be compared. */

import { REDACTED } from "./har.ts";
import { type BodyContent, type ComparedRequest } from "./request-key.ts";

/** @returns the names of header fields, query parameters, and fields of JSON and forms, in lower case */
export function findRedacted(
  { url, headers }: Pick<ComparedRequest, "url" | "headers">,
  content: BodyContent,
): string[] {
  const names = [
    ...namesIn(url.searchParams),
    ...namesIn(headers),
    ...(content.type === "form" ? namesIn(content.pairs) : []),
    ...(content.type === "json" ? namesInJson(content.value) : []),
  ];
  return names.map((name) => name.toLowerCase());
}

export function hasRedacted(text: string | Buffer): boolean {
  return text.includes(REDACTED);
}

/** @returns the expression for the paths that a path with secrets stands for */
export function pathExpression(path: string): RegExp {
  const literals = path.split(REDACTED).map((literal) => literal.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&"));
  return new RegExp(`^${literals.join("[^/]+")}$`);
}

function namesIn(pairs: Iterable<readonly [string, string]>): string[] {
  return [...pairs].flatMap(([name, value]) => (hasRedacted(value) ? [name] : []));
}

function namesInJson(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) =>
    typeof each === "string" && hasRedacted(each) ? [name] : namesInJson(each),
  );
}
