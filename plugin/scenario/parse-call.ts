/** Parses what a user writes to say which calls are meant: `"GET /users/:id"`, `"/users/*"`, or an object. */

import { DEEP, isDeep } from "../read/nesting.ts";
import { isPlainObject, quote } from "../read/quote.ts";
import type { CallPattern, TextPattern } from "./call.ts";
import { findPathMistake } from "./call-path.ts";
import { type PlacedMistake, findUnknown, placeUnknown, refuseMistakes } from "./mistake.ts";

const FIELDS = ["method", "path", "query", "headers", "body", "json"];

/**
 * @param value `"GET /users/:id"`, `"/users/*"`, an object, or undefined for every call
 * @throws {TypeError} that says what is wrong and what to write
 */
export function parseCall(value: unknown): CallPattern {
  const parsed = readCall(value);
  if (!Array.isArray(parsed)) return parsed;
  refuseMistakes(parsed);
  throw new Error("a call without a mistake is not refused");
}

/** @returns the call, or every mistake in it, at least one */
export function readCall(value: unknown): CallPattern | PlacedMistake[] {
  if (value === undefined || value === null) return {};
  const mistakes: PlacedMistake[] = [];
  const call = typeof value === "string" ? readCallText(value, mistakes) : readParts(value, mistakes);
  return mistakes.length === 0 ? call : mistakes;
}

function readCallText(text: string, mistakes: PlacedMistake[]): CallPattern {
  const [, method, path] = /^(?:([A-Za-z]+)\s+)?(\/.*)$/s.exec(text.trim()) ?? [];
  if (path !== undefined) {
    return {
      ...(method !== undefined && { method: method.toUpperCase() }),
      path: readPath(path, { at: [], mistakes }),
    };
  }
  if (/^[A-Z]+$/.test(text.trim())) return { method: text.trim() };
  const problem = `the call ${quote(text)} is neither "METHOD /path" nor "/path"; its path begins with "/", without a host`;
  mistakes.push({ text: problem, at: [] });
  return {};
}

function readParts(value: unknown, mistakes: PlacedMistake[]): CallPattern {
  if (!isPlainObject(value)) {
    const text = `the call is ${quote(value)}, but must be "GET /path", or { method, path, query, headers, body, json }`;
    mistakes.push({ text, at: [] });
    return {};
  }
  mistakes.push(...findUnknown(value, { known: FIELDS, what: "a field of a call" }).map(placeUnknown([])));
  const { method, path, query, headers, body, json } = value;
  if (isDeep(json)) mistakes.push({ text: `"json" of a call: ${DEEP}`, at: ["json"] });
  return {
    ...(method !== undefined && { method: readMethod(method, mistakes) }),
    ...(path !== undefined && { path: readPath(path, { at: ["path"], mistakes }) }),
    ...(query !== undefined && { query: readTexts(query, { at: ["query"], mistakes }) }),
    ...(headers !== undefined && { headers: readHeaders(headers, mistakes) }),
    ...(body !== undefined && { body: readText(body, { at: ["body"], mistakes }) }),
    ...(json !== undefined && { json }),
  };
}

/** RFC 9110 §5.6.2: a method, or the name of a header field. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

function readMethod(method: unknown, mistakes: PlacedMistake[]): string {
  if (typeof method === "string" && TOKEN.test(method)) return method.toUpperCase();
  mistakes.push({ text: `the method of the call is ${quote(method)}, but must be "GET", "POST", …`, at: ["method"] });
  return "";
}

function readHeaders(headers: unknown, mistakes: PlacedMistake[]): Record<string, TextPattern> {
  const texts = readTexts(headers, { at: ["headers"], mistakes });
  for (const name of Object.keys(texts).filter((each) => !TOKEN.test(each))) {
    const text = `${quote(name)} in "headers" of the call is not the name of a header`;
    mistakes.push({ text, note: 'Write one like "content-type".', at: ["headers", name], part: "key" });
  }
  return texts;
}

interface Reading {
  /** The place of the value. */
  at: string[];
  mistakes: PlacedMistake[];
}

function readPath(path: unknown, { at, mistakes }: Reading): string {
  const mistake = findPathMistake(path);
  if (mistake !== undefined) mistakes.push({ ...mistake, at });
  return typeof path === "string" ? path : "";
}

function readTexts(texts: unknown, { at, mistakes }: Reading): Record<string, TextPattern> {
  if (!isPlainObject(texts)) {
    const text = `${quote(at.join("."))} of the call is ${quote(texts)}, but must be an object of names and values`;
    mistakes.push({ text, at });
    return {};
  }
  return Object.fromEntries(
    Object.entries(texts).map(([key, pattern]) => [key, readText(pattern, { at: [...at, key], mistakes })]),
  );
}

function readText(pattern: unknown, { at, mistakes }: Reading): TextPattern {
  if (typeof pattern === "string") return pattern;
  // Not instanceof: it may come from another realm.
  if (Object.prototype.toString.call(pattern) === "[object RegExp]") {
    const { source, flags } = pattern as RegExp;
    return { regexp: source, flags };
  }
  const where = `${quote(at.join("."))} of the call`;
  const regexp = isPlainObject(pattern) ? pattern["regexp"] : undefined;
  if (isPlainObject(pattern) && typeof regexp === "string") {
    const given = pattern["flags"] ?? "";
    // Flags that are none are refused below.
    const flags = typeof given === "string" ? given : quote(given);
    mistakes.push(
      ...findUnknown(pattern, { known: ["regexp", "flags"], what: "a part of a regular expression" }).map(
        placeUnknown(at),
      ),
    );
    try {
      const { source } = new RegExp(regexp, flags);
      return { regexp: source, flags };
    } catch (error) {
      mistakes.push({ text: `${where} is not a regular expression: ${messageOf(error)}`, at });
      return "";
    }
  }
  const text = `${where} is ${quote(pattern)}, but must be a text or a regular expression`;
  mistakes.push({ text, note: 'Write "text" or { "regexp": "^text" }.', at });
  return "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
