/**
 * Replaces secrets in a URL so that it stays one (RFC 3986 §3): scheme, host, the number of path segments and the names of
 * query parameters with a value stay, since a recording is read again and compared by them.
 *
 *   http://users.internal/sessions/abcdefgh12345678?next=x ─▶ http://users.internal/sessions/[redacted]?next=x
 */

import { REDACTED } from "./har.ts";
import { COMMON } from "./secret-search.ts";

export interface UrlSecrets {
  /** Whether a parameter of that name is secret. */
  isNamed: (name: string) => boolean;
  /** Replaces what is secret by its name in a decoded segment or value. */
  byName: (text: string) => string;
  /** @returns the places of secrets in a text, which may overlap */
  find: (text: string) => [start: number, end: number][];
}

interface Part {
  /** `bare`: a parameter without a value. */
  kind: "kept" | "segment" | "name" | "value" | "bare";
  text: string;
}

/** @param url absolute or relative */
export function redactUrl(url: string, secrets: UrlSecrets): string {
  const named = redactNamed(split(url), secrets);
  const text = named.map((part) => part.text).join("");
  return redactPlaces(named, findPlaces(text, secrets.find));
}

/** Scheme and host; path; query; fragment. */
const URL_PARTS = /^([a-z][a-z\d+.-]*:\/\/[^/?#]*|\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is;

function split(url: string): Part[] {
  const [, origin = "", path = "", query, fragment] = URL_PARTS.exec(url) ?? [];
  const parts = [kept(origin), ...join(path.split("/"), "/", (text) => [{ kind: "segment", text }])];
  if (query !== undefined) parts.push(kept("?"), ...join(query.split("&"), "&", splitPair));
  if (fragment !== undefined) parts.push(kept("#"), { kind: "value", text: fragment });
  return parts;
}

function kept(text: string): Part {
  return { kind: "kept", text };
}

function join(texts: readonly string[], separator: string, make: (text: string) => Part[]): Part[] {
  return texts.flatMap((text, index): Part[] =>
    index === 0 ? make(text) : [{ kind: "kept", text: separator }, ...make(text)],
  );
}

function splitPair(pair: string): Part[] {
  const equals = pair.indexOf("=");
  if (equals === -1) return [{ kind: "bare", text: pair }];
  return [
    { kind: "name", text: pair.slice(0, equals) },
    { kind: "kept", text: "=" },
    { kind: "value", text: pair.slice(equals + 1) },
  ];
}

function redactNamed(parts: readonly Part[], { isNamed, byName }: UrlSecrets): Part[] {
  return parts.map((part, index): Part => {
    if (part.kind !== "value" && part.kind !== "segment") return part;
    const name = parts[index - 2];
    const isSecret = part.kind === "value" && name?.kind === "name" && isNamed(decodeText(name.text, "query").text);
    if (isSecret && part.text !== "") return { ...part, text: REDACTED };
    const { text } = decodeText(part.text, part.kind === "value" ? "query" : "path");
    const redacted = byName(text);
    return redacted === text
      ? part
      : { ...part, text: redacted.split(REDACTED).map(encodeURIComponent).join(REDACTED) };
  });
}

/** As it is written, and as what it stands for. */
function findPlaces(url: string, find: UrlSecrets["find"]): [number, number][] {
  return [
    ...find(url),
    ...(["path", "query"] as const).flatMap((kind) => {
      const { text, places } = decodeText(url, kind);
      return find(text).map(([start, end]): [number, number] => [places[start] ?? 0, places[end] ?? url.length]);
    }),
  ];
}

/** Percent-encoded bytes (RFC 3986 §2.1); in a query, `+` is a space. @returns also where each character is in the given text */
function decodeText(given: string, kind: "path" | "query"): { text: string; places: number[] } {
  let text = "";
  const places: number[] = [];
  for (const { 0: found, index } of given.matchAll(/(?:%[\da-f]{2})+|[^%]+|%/gi)) {
    const isEncoded = found.length > 1 && found.startsWith("%");
    const bytes = isEncoded ? Buffer.from(found.replaceAll("%", ""), "hex") : undefined;
    let at = index;
    for (const char of bytes?.toString() ?? found) {
      for (const unit of char.split("")) {
        text += unit === "+" && kind === "query" && !isEncoded ? " " : unit;
        places.push(at);
      }
      at += isEncoded ? 3 * (char === "\uFFFD" ? 1 : Buffer.byteLength(char)) : char.length;
    }
  }
  places.push(given.length);
  return { text, places };
}

interface Piece {
  part: number;
  /** In the part. */
  start: number;
  end: number;
}

function redactPlaces(parts: readonly Part[], places: readonly [number, number][]): string {
  const pieces = places.flatMap((place) => chosenPieces(parts, place));
  return parts
    .map(({ text }, index) => {
      const own = pieces.filter(({ part }) => part === index).toSorted((one, other) => one.start - other.start);
      let written = "";
      let done = 0;
      for (const { start, end } of own) {
        if (start >= done && !(start === done && written.endsWith(REDACTED)))
          written += text.slice(done, start) + REDACTED;
        done = Math.max(done, end);
      }
      return written + text.slice(done);
    })
    .join("");
}

/** @returns what is replaced of a secret that may go over several parts: not a common word, which says nothing by itself */
function chosenPieces(parts: readonly Part[], [from, to]: [number, number]): Piece[] {
  let offset = 0;
  const all = parts.flatMap((part, index): (Piece & Part)[] => {
    const start = Math.max(from - offset, 0);
    const end = Math.min(to - offset, part.text.length);
    offset += part.text.length;
    return part.kind === "kept" || start >= end ? [] : [{ ...part, part: index, start, end }];
  });
  const values = all.filter(({ kind }) => kind === "segment" || kind === "value");
  const telling = values.filter(({ text, start, end }) => !COMMON.test(text.slice(start, end)));
  const bare = all.filter(({ kind }) => kind === "bare");
  return [telling, values, bare].find((each) => each.length > 0) ?? [];
}
