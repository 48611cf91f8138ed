/**
 * Matches calls of an HTTP client: by method, path, query, header fields and body. Says what differs, for the message
 * about a call that nothing matched.
 */

import { type PathEdges, type PathParams, parsePath } from "./call-path.ts";
import { describeSubset, isSubset, makeSubset, shorten } from "./json-subset.ts";
import { DISTANCE, type Difference, asAnyPath, pathDistance, toDetail } from "./nearest-call.ts";

/** A text, or a regular expression as JSON. */
export type TextPattern = string | { regexp: string; flags: string };

/** As it travels: `"GET /users/:id"` is already taken apart. */
export interface CallPattern {
  /** Upper case. Absent: every method. */
  method?: string;
  /** A URLPattern pathname. Absent: every path. */
  path?: string;
  /** Only these need to be equal. */
  query?: Record<string, TextPattern>;
  /** Names in any case. Only these need to be equal. */
  headers?: Record<string, TextPattern>;
  /** The whole body. */
  body?: TextPattern;
  /** The body must be JSON that contains it: other fields of objects are ignored. */
  json?: unknown;
}

export interface RequestHead {
  method: string;
  url: URL;
  headers: Headers;
}

export interface CallBody {
  text: string;
  /** Parses it when first called. @returns undefined if it isn't JSON */
  parse: () => { value: unknown } | undefined;
}

export interface CallMatcher {
  pattern: CallPattern;
  edges: PathEdges;
  /** As a person writes it: `GET /users/:id`. */
  text: string;
  /** It matches every call. */
  isAny: boolean;
  needsBody: boolean;
  /** @returns undefined if it doesn't match. Fast, because a call may ask many rules */
  matchHead(head: RequestHead): PathParams | undefined;
  /** @returns what differs; empty: it matches */
  compareHead(head: RequestHead): Difference[];
  matchBody(body: CallBody): boolean;
  /** @returns what differs; empty: it matches */
  compareBody(body: CallBody): Difference[];
}

/** @param text the whole body */
export function makeBody(text: string): CallBody {
  let parsed: ReturnType<CallBody["parse"]> | null = null;
  return { text, parse: () => (parsed === null ? (parsed = parseJson(text)) : parsed) };
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** @param pattern as `parseCall` returned it */
export function makeMatcher(pattern: CallPattern): CallMatcher {
  const { method, path, query, headers, body, json } = pattern;
  const callPath = parsePath(path);
  const details = [
    ...Object.entries(query ?? {}).map(([name, text]) => ({
      what: `the query parameter "${name}"`,
      read: ({ url }: RequestHead) => url.searchParams.getAll(name),
      text: textMatcher(text),
    })),
    ...Object.entries(headers ?? {}).map(([name, text]) => ({
      what: `the header "${name}"`,
      read: (head: RequestHead) => valuesOf(head.headers, name),
      text: textMatcher(text),
    })),
  ];
  const subset = json === undefined ? undefined : makeSubset(json);
  const wholeBody = body === undefined ? undefined : textMatcher(body);
  const place = path === undefined ? asAnyPath : (differences: Difference[]): Difference[] => differences;
  return {
    pattern,
    edges: callPath.edges,
    text: formatCall(pattern),
    isAny: formatCall(pattern) === ANY,
    needsBody: body !== undefined || json !== undefined,
    matchHead(head) {
      if (method !== undefined && method !== head.method) return undefined;
      const params = callPath.match(head.url.pathname);
      if (params === undefined) return undefined;
      return details.every(({ read, text }) => text.matches(read(head))) ? params : undefined;
    },
    compareHead(head) {
      const { pathname } = head.url;
      return place([
        ...(method === undefined || method === head.method
          ? []
          : [{ text: `the method is ${head.method}, not ${method}`, distance: DISTANCE.method }]),
        ...(path !== undefined && callPath.match(pathname) === undefined
          ? [{ text: `the path is ${pathname}, not ${path}`, distance: pathDistance(pathname, path) }]
          : []),
        ...details
          .filter(({ read, text }) => !text.matches(read(head)))
          .map(({ what, read, text }) => toDetail(`${what} ${text.describe(read(head))}`)),
      ]);
    },
    matchBody: ({ text, parse }) => {
      if (wholeBody?.matches([text]) === false) return false;
      const got = subset && parse();
      return subset === undefined || (got !== undefined && isSubset(subset, got.value));
    },
    compareBody: ({ text, parse }) => {
      const got = subset && parse();
      const hasText = wholeBody === undefined || wholeBody.matches([text]);
      const differences = [
        ...(hasText ? [] : [`the body ${wholeBody.describe([text])}`]),
        ...(subset === undefined ? [] : got === undefined ? [describeNoJson(text)] : describeSubset(subset, got.value)),
      ];
      return place(differences.map(toDetail));
    },
  };
}

function describeNoJson(text: string): string {
  return text === "" ? "the body is empty, not JSON" : `the body is not JSON: ${shorten(JSON.stringify(text))}`;
}

export function valuesOf(headers: Headers, name: string): string[] {
  const value = headers.get(name);
  return value === null ? [] : [value];
}

interface TextMatcher {
  /** Whether one of the values is right. */
  matches(values: readonly string[]): boolean;
  /** As the rest of a sentence. */
  describe(values: readonly string[]): string;
}

function textMatcher(pattern: TextPattern): TextMatcher {
  const expression = typeof pattern === "string" ? undefined : new RegExp(pattern.regexp, pattern.flags);
  const isRight = (value: string): boolean =>
    expression === undefined ? value === pattern : value.search(expression) !== -1;
  return {
    matches: (values) => values.some(isRight),
    describe(values) {
      const wanted = typeof pattern === "string" ? JSON.stringify(pattern) : `/${pattern.regexp}/${pattern.flags}`;
      return values.length === 0
        ? `is missing, not ${wanted}`
        : `is ${shorten(values.map((value) => JSON.stringify(value)).join(", "))}, not ${wanted}`;
    },
  };
}

const ANY = "every call";

export function formatCall({ method, path, ...more }: CallPattern): string {
  const rest = Object.keys(more).filter((key) => (more as Record<string, unknown>)[key] !== undefined);
  const text = [method, path].filter((part) => part !== undefined).join(" ");
  const list = rest.length === 0 ? "" : ` with its ${rest.join(" and ")}`;
  return (text === "" ? ANY : text) + list;
}
