/** Warns of what is valid in an answer, but can't be what was meant. */

import type { RespondModel } from "../model.ts";
import { type Parsing, type Report, isPlainObject, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { CallPattern } from "../scenario/call.ts";
import { suggest } from "../scenario/mistake.ts";

type Written = RespondModel["answers"][number] & { at: Path };

export function reportDoubts({ call, answer, at }: Written, { report }: Pick<Parsing, "report">): void {
  const warn = (finding: Parameters<Report>[0]): void => report({ ...finding, severity: "warning" });
  warnOfMethod(call, { at: [...at, "when"], report: warn });
  warnOfExpressions(call, { at: [...at, "when"], report: warn });
  warnOfParameters({ call, answer, at }, warn);
}

interface Place {
  at: Path;
  report: Report;
}

/** Those that workerd's `new Request()` takes. It refuses all others. */
const METHODS = `
  GET HEAD POST PUT DELETE PATCH OPTIONS TRACE QUERY PURGE BAN COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK ACL
  REPORT MKACTIVITY CHECKOUT MERGE MSEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE
`
  .trim()
  .split(/\s+/);

function warnOfMethod({ method }: CallPattern, { at, report }: Place): void {
  if (method === undefined || METHODS.includes(method)) return;
  report({
    code: "unknown-method",
    text: `no request has the method ${quote(method)}, because a Worker can't send it`,
    at,
    notes: [suggest(method, METHODS)],
  });
}

/** Such as `/^a/i`. A path like `/a/` is none. */
const LIKE_EXPRESSION = /^\/(?=.*[\^$\\*+?()[\]|])(.+)\/([dgimsuvy]*)$/s;

function warnOfExpressions({ query, headers, body }: CallPattern, { at, report }: Place): void {
  const texts: [place: Path, value: unknown][] = [
    ...Object.entries(query ?? {}).map(([name, value]): [Path, unknown] => [["query", name], value]),
    ...Object.entries(headers ?? {}).map(([name, value]): [Path, unknown] => [["headers", name], value]),
    [["body"], body],
  ];
  for (const [place, value] of texts) {
    const [, regexp, flags = ""] = (typeof value === "string" && LIKE_EXPRESSION.exec(value)) || [];
    if (regexp === undefined) continue;
    report({
      code: "text-like-regexp",
      text: `${quote(value)} is compared as a text, not as a regular expression`,
      at: [...at, ...place],
      notes: [`Write { "regexp": ${JSON.stringify(regexp)}${flags === "" ? "" : `, "flags": "${flags}"`} }.`],
    });
  }
}

function warnOfParameters({ call: { path = "" }, answer, at }: Written, report: Report): void {
  const known = Array.from(path.matchAll(/:([a-z_]\w*)/gi), ([, name = ""]) => name);
  const parts: [Path, unknown][] = [
    [["headers"], answer.headers],
    [["json"], answer.json],
    [["text"], isPlainText(answer) ? answer.text : undefined],
  ];
  for (const { text, place } of parts.flatMap(([start, value]) => textsIn(value, start))) {
    const unknown = Array.from(text.matchAll(/\{([a-z_]\w*)\}/gi), ([, name = ""]) => name);
    const name = unknown.find((each) => !known.includes(each));
    if (name === undefined) continue;
    const noted =
      known.length === 0
        ? "Name a part of the path"
        : suggest(
            `{${name}}`,
            known.map((each) => `{${each}}`),
          );
    report({
      code: "unknown-parameter",
      text: `"{${name}}" stays as it is, because the path of the answer's "when" has no ":${name}"`,
      at: [...at, ...place],
      notes: [known.length === 0 ? `${noted}: "when": "/users/:${name}".` : noted],
    });
  }
}

/** Braces of HTML, CSS and code are none of ours. */
function isPlainText({ headers = {} }: Written["answer"]): boolean {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1];
  return type === undefined || String(type).startsWith("text/plain");
}

function textsIn(value: unknown, place: Path): { text: string; place: Path }[] {
  if (typeof value === "string") return [{ text: value, place }];
  if (Array.isArray(value)) return value.flatMap((each: unknown, index) => textsIn(each, [...place, index]));
  if (!isPlainObject(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => textsIn(each, [...place, key]));
}
