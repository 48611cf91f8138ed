/**
 * Replaces secrets in what is going to be written: by name, wherever a name and its value are seen, and by value, since a
 * service may repeat a secret elsewhere. Changes nothing else, not even the spaces of JSON.
 */

import { REDACTED } from "./har.ts";
import { redactUrl } from "./redact-url.ts";
import { COMMON, MIN_SECRET, createSecretSearch } from "./secret-search.ts";

/** Header fields that are always secret. */
const SECRET_FIELDS = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

type HeaderField = [fieldName: string, value: string];

export interface Redactor {
  /** More names of fields that are secret. */
  addNames(names: Iterable<string>): void;
  /** Learns the secrets of a message, so that they are found elsewhere, too. */
  learn(message: { url?: string; headers: readonly HeaderField[]; body?: string }): void;
  headerValue(fieldName: string, value: string): string;
  /** Replaces only what is known as a secret by its value. */
  known(text: string): string;
  knownUrl(text: string): string;
  /** For a URL, also a relative one. It stays one, with the same origin, path segments and names of parameters. */
  url(text: string): string;
  /** For a form, JSON, and text with URLs or any of them in it. */
  text(text: string): string;
  /** For bytes that are no text, such as a form with a file in it. */
  bytes(bytes: Buffer): Buffer;
}

/**
 * @param names of header fields, query parameters and fields of JSON and forms, in any case
 * @param known secrets that are known already
 */
export function createRedactor(names: Iterable<string>, known: Iterable<string> = []): Redactor {
  const secretNames = new Set([...SECRET_FIELDS, ...[...names].map((each) => each.toLowerCase())]);
  const values = createSecretSearch();
  const learnValue = (value: string): void => {
    const secret = value.trim();
    if (secret.length >= MIN_SECRET && !COMMON.test(secret) && secret !== REDACTED) values.add(secret);
  };
  for (const value of known) learnValue(value);

  const isNamed = (name: string): boolean => secretNames.has(name.toLowerCase());
  const byName = (text: string, found: Found): string =>
    redactJson(redactPairs(redactParts(redactUserInfo(text, found), isNamed, found), isNamed, found), isNamed, found);
  const urlByName = (url: string, found: Found): string =>
    redactUrl(redactUserInfo(url, found), { isNamed, byName: (text) => byName(text, found), find: () => [] });
  const knownUrl = (url: string): string =>
    redactUrl(url, { isNamed: () => false, byName: (text) => text, find: (text) => values.find(text) });

  return {
    addNames(more) {
      for (const name of more) secretNames.add(name.toLowerCase());
    },
    learn({ url = "", headers, body = "" }) {
      for (const [fieldName, value] of headers) {
        if (isNamed(fieldName)) for (const secret of secretsIn(fieldName.toLowerCase(), value)) learnValue(secret);
        else byName(value, learnValue);
      }
      urlByName(url, learnValue);
      for (const [name, value] of URL.parse(url)?.searchParams ?? []) if (isNamed(name)) learnValue(value);
      byName(body, learnValue);
    },
    headerValue(fieldName, value) {
      if (isNamed(fieldName)) return REDACTED;
      return isUrlField(fieldName) ? this.url(value) : this.text(value);
    },
    known: (text) => values.replace(text),
    knownUrl,
    url: (text) => knownUrl(urlByName(text, ignore)),
    text: (text) => values.replace(byName(text, ignore)),
    bytes(bytes) {
      const text = bytes.toString("latin1");
      const replaced = values.replace(byName(text, ignore));
      return replaced === text ? bytes : Buffer.from(replaced, "latin1");
    },
  };
}

/** Whether the value of a header field is a URL. A redirect must lead to a URL that is recorded, too. */
export function isUrlField(fieldName: string): boolean {
  return /^(?:content-)?location$|^referer$/i.test(fieldName);
}

/** @returns the value, and the parts of it that are secret by themselves */
function secretsIn(fieldName: string, value: string): string[] {
  if (fieldName === "cookie") return [value, ...value.split(";").map((pair) => pair.slice(pair.indexOf("=") + 1))];
  if (fieldName === "set-cookie") {
    const [pair = ""] = value.split(";");
    return [value, pair.slice(pair.indexOf("=") + 1)];
  }
  const [, scheme = "", credentials = ""] = /^(\w+) +(.*)$/s.exec(value) ?? [];
  if (credentials === "") return [value];
  if (scheme.toLowerCase() !== "basic") return [value, credentials];
  const decoded = Buffer.from(credentials, "base64").toString();
  return [value, credentials, decoded, decoded.slice(decoded.indexOf(":") + 1)];
}

type Found = (value: string) => void;
const ignore: Found = () => {};
type IsNamed = (name: string) => boolean;

/** `user:password@` of a URL (RFC 3986 §3.2.1). */
function redactUserInfo(text: string, found: Found): string {
  if (!text.includes("@")) return text;
  return text.replaceAll(
    /([a-z][a-z\d+.-]*:(?:\\?\/){2})([^\s/?#"'<>\\@]+)@/gi,
    (_, scheme: string, userInfo: string) => {
      found(userInfo);
      const password = userInfo.slice(userInfo.indexOf(":") + 1);
      found(password);
      found(decode(password));
      return `${scheme}${REDACTED}@`;
    },
  );
}

/** `name=value` in a query, a form, or a list of cookies. */
function redactPairs(text: string, isNamed: IsNamed, found: Found): string {
  if (!text.includes("=")) return text;
  return text.replaceAll(
    /(?<=^|[?&;#,\s"'])([^\s=&;?#"'<>,]+)=([^\s&"'<>\\]*)/g,
    (whole, name: string, value: string) => {
      if (!isNamed(decode(name)) || value === "") return whole;
      found(value);
      found(decode(value));
      return `${name}=${REDACTED}`;
    },
  );
}

/** A field of a multipart form (RFC 7578 §4.2). */
function redactParts(text: string, isNamed: IsNamed, found: Found): string {
  if (!/\bform-data\b/i.test(text)) return text;
  return text.replaceAll(
    /(\bform-data;[^\r\n]*?\bname="?([^"\r\n;]+)"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n)([\s\S]*?)(?=\r?\n--)/gi,
    (whole, head: string, name: string, value: string) => {
      if (!isNamed(name)) return whole;
      found(value);
      return head + REDACTED;
    },
  );
}

/** Percent-encoded, and with `+` for a space. @returns the text itself if it isn't */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

/** A longer text in quotes is no name. */
const MAX_NAME = 256;
const COLON = /\s*:\s*/y;
/** What isn't a string, an object or an array. */
const SCALAR = /[^\s,}\]"'<>\\]*/y;

/**
 * Fields of JSON, wherever it is in a text: in a line, in an event, or in a string of other JSON, whose quotes have
 * backslashes before them. The text around it need not be JSON.
 */
function redactJson(text: string, isNamed: IsNamed, found: Found): string {
  let result = "";
  let done = 0;
  for (let quote = text.indexOf('"'); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    const level = backslashesBefore(text, quote);
    const end = text.indexOf('"', quote + 1);
    if (end === -1 || end - quote > MAX_NAME || backslashesBefore(text, end) !== level) continue;
    if (!isNamed(unescape(text.slice(quote + 1, end - level), level))) continue;
    COLON.lastIndex = end + 1;
    if (!COLON.test(text)) continue;
    const start = COLON.lastIndex;
    const after = endOfValue(text, { start, level });
    collect(unescape(text.slice(start, after), level, { isQuoted: false }), found);
    const mark = `${"\\".repeat(level)}"`;
    result += text.slice(done, start) + mark + REDACTED + mark;
    done = after;
    quote = after - 1;
  }
  return result + text.slice(done);
}

function backslashesBefore(text: string, at: number): number {
  let count = 0;
  while (text[at - 1 - count] === "\\") count++;
  return count;
}

/** @returns where the value ends; of JSON that is cut off, the end of the text */
function endOfValue(text: string, { start, level }: { start: number; level: number }): number {
  const first = text[start];
  const isString = text[start + level] === '"' && text.slice(start, start + level) === "\\".repeat(level);
  if (isString) return endOfString(text, { start: start + level, level });
  if (first !== "{" && first !== "[") {
    SCALAR.lastIndex = start;
    return SCALAR.test(text) ? SCALAR.lastIndex : start;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, { start: at, level }) - 1;
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) return at + 1;
  }
  return text.length;
}

/** @param place `start`: of the quote. Quotes of JSON inside of the string have more backslashes */
function endOfString(text: string, { start, level }: { start: number; level: number }): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1))
    if (endsString(backslashesBefore(text, quote), level)) return quote + 1;
  return text.length;
}

/** Of JSON that is no part of a string, any even number of backslashes is text. */
function endsString(backslashes: number, level: number): boolean {
  return level === 0 ? backslashes % 2 === 0 : backslashes <= level;
}

/** Takes off the escapes of a level: 0, 1, 3, 7, … backslashes before a quote. @returns the text as it is if it isn't so */
function unescape(text: string, level: number, { isQuoted = true }: { isQuoted?: boolean } = {}): string {
  if (!text.includes("\\")) return text;
  try {
    let unescaped = text;
    for (let left = isQuoted ? level * 2 + 1 : level; left > 0; left = (left - 1) / 2)
      unescaped = JSON.parse(`"${unescaped}"`) as string;
    return unescaped;
  } catch {
    return text;
  }
}

/** Learns the texts and numbers of a secret value. */
function collect(json: string, found: Found): void {
  const visit = (value: unknown): void => {
    if (typeof value === "string" || typeof value === "number") found(String(value));
    else if (typeof value === "object" && value !== null) for (const each of Object.values(value)) visit(each);
  };
  try {
    visit(JSON.parse(json));
  } catch {
    found(json.replaceAll(/^"|"$/g, ""));
  }
}
