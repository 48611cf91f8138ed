/**
 * Answers that a rule gives without a function: checks them, and makes a Response of one. Runs in Node and, for the answers
 * of a test's function, in workerd.
 */

import { DEEP, isDeep } from "../read/nesting.ts";
import { isPlainObject, quote } from "../read/quote.ts";
import { fromBase64 } from "./base64.ts";
import { type PlacedMistake, findUnknown, placeUnknown, refuseMistakes } from "./mistake.ts";

// A test may replace the global one.
const { setTimeout } = globalThis;

/** As it travels, and as `respond` in a vpc config writes it. */
export interface PlainAnswer {
  /** 200 to 599. Default: 200. */
  status?: number;
  /** A list: as many fields of this name. */
  headers?: Record<string, string | string[]>;
  json?: unknown;
  text?: string;
  /** Base64. */
  bytes?: string;
  /** Path of a file, relative to the folder of the config, or to the working directory of a test. */
  file?: string;
  /** Milliseconds to wait before the answer. */
  delay?: number;
}

const BODIES = ["json", "text", "bytes", "file"] as const;
const FIELDS = ["status", "headers", ...BODIES, "delay"];

/** @throws {TypeError} that says what is wrong and what to write */
export function checkAnswer(value: unknown): PlainAnswer {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(
      `vpc: the answer is ${JSON.stringify(value) ?? String(value)}; write { status, headers, json | text | bytes | file, delay }, a list of them, or a function.`,
    );
  }
  refuseMistakes(findAnswerMistakes(value));
  return value;
}

/** Milliseconds: five minutes. */
const MAX_DELAY = 300_000;
/** An answer with such a status has no body (RFC 9110 §15). */
export const WITHOUT_BODY: ReadonlySet<unknown> = new Set([204, 205, 304]);

/** @returns every mistake; none: it is a `PlainAnswer` */
export function findAnswerMistakes(value: object): PlacedMistake[] {
  const { status, headers, delay } = value as Record<string, unknown>;
  const given = BODIES.filter((key) => Reflect.get(value, key) !== undefined);
  const [body, second] = given;
  const mistakes: PlacedMistake[] = findUnknown(value, { known: FIELDS, what: "a field of an answer" }).map(
    placeUnknown([]),
  );
  const mustBe = (field: string, expected: string): void => {
    const text = `${quote(field)} of the answer is ${quote(Reflect.get(value, field))}, but must be ${expected}`;
    mistakes.push({ text, at: [field] });
  };
  if (status !== undefined && !(Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599))
    mustBe("status", "a whole number from 200 to 599");
  if (headers !== undefined) mistakes.push(...findHeaderMistakes(headers));
  if (delay !== undefined && !(typeof delay === "number" && delay >= 0 && delay <= MAX_DELAY))
    mustBe("delay", `milliseconds from 0 to ${MAX_DELAY}`);
  for (const key of given) mistakes.push(...findBodyMistakes(key, Reflect.get(value, key)));
  if (second !== undefined) {
    const text = `an answer has one body, but this one has ${given.map(quote).join(" and ")}`;
    mistakes.push({ text, note: "Keep one of them.", at: [second], part: "key" });
  } else if (body !== undefined && WITHOUT_BODY.has(status)) {
    const text = `an answer with the status ${quote(status)} has no body`;
    mistakes.push({ text, note: `Remove ${quote(body)}, or change the status.`, at: [body], part: "key" });
  }
  return mistakes;
}

function findHeaderMistakes(headers: unknown): PlacedMistake[] {
  const at = ["headers"];
  if (!isPlainObject(headers)) {
    return [{ text: `"headers" of the answer is ${quote(headers)}, but must be an object of names and values`, at }];
  }
  return Object.entries(headers).flatMap(([name, value]) => {
    const place = [...at, name];
    if (!Array.isArray(value)) return findFieldMistakes(name, value, place);
    if (value.length > 0) return value.flatMap((each, index) => findFieldMistakes(name, each, [...place, index]));
    const text = `the header ${quote(name)} of the answer is an empty list`;
    return [{ text, note: "Remove it, or write a value.", at: place, part: "key" as const }];
  });
}

function findFieldMistakes(name: string, value: unknown, at: PlacedMistake["at"]): PlacedMistake[] {
  if (typeof value !== "string") {
    const text = `the header ${quote(name)} of the answer is ${quote(value)}, but must be a string`;
    return [{ text, ...(typeof value === "number" && { note: `Write "${value}".` }), at }];
  }
  if (isHeader(name, value)) return [];
  return [{ text: `the header ${quote(name)} of the answer can't be sent as ${quote(value)}`, at }];
}

/** Whether it can be sent. */
export function isHeader(name: string, value: string): boolean {
  try {
    return new Headers([[name, value]]).has(name);
  } catch {
    return false;
  }
}

function findBodyMistakes(key: (typeof BODIES)[number], value: unknown): PlacedMistake[] {
  const at = [key];
  if (key === "json") {
    const problem = findJsonProblem(value);
    return problem === undefined ? [] : [{ text: `"json" of the answer can't be written as JSON: ${problem}`, at }];
  }
  if (typeof value !== "string") {
    const text = `"${key}" of the answer is ${quote(value)}, but must be a string`;
    return [{ text, ...(key === "text" && { note: 'Write a value as "json".' }), at }];
  }
  if (key === "file" && value === "") return [{ text: '"file" of the answer is empty', at }];
  if (key !== "bytes" || isBase64(value)) return [];
  return [{ text: '"bytes" of the answer is not base64', note: 'Write a text as "text".', at }];
}

function findJsonProblem(value: unknown): string | undefined {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) return `it is ${quote(value)}`;
    return isDeep(value) ? DEEP : undefined;
  } catch (error) {
    if (error instanceof RangeError) return DEEP;
    return error instanceof Error ? error.message : String(error);
  }
}

function isBase64(text: string): boolean {
  try {
    return atob(text) !== undefined;
  } catch {
    return false;
  }
}

/** Not instanceof: the Response may come from another library. */
export function isResponse(value: unknown): value is Response {
  return (
    typeof value === "object" && value !== null && "status" in value && "headers" in value && "arrayBuffer" in value
  );
}

/** What goes out. */
export interface RenderedAnswer {
  status: number;
  headers: Headers;
  body: Uint8Array<ArrayBuffer> | string | null;
}

/**
 * `{name}` is replaced by the path's parameter of that name in every text, also inside JSON and in header values. A name
 * that the path doesn't have stays as it is. Waits for the answer's `delay`.
 *
 * @throws what `readFile` throws
 */
export async function renderAnswer(answer: PlainAnswer, { params, readFile }: AnswerContext): Promise<RenderedAnswer> {
  const { status = 200, delay } = answer;
  if (delay !== undefined && delay > 0) await wait(delay);
  const fill = (text: string): string => text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => params[name] ?? whole);
  const headers = toHeaders(answer.headers, fill);
  const { body, type } = await bodyOf(answer, { fill, readFile });
  if (type !== undefined && !headers.has("content-type")) headers.set("content-type", type);
  return { status, headers, body };
}

/** @throws as `renderAnswer` */
export async function toResponse(answer: PlainAnswer, context: AnswerContext): Promise<Response> {
  const { body, ...init } = await renderAnswer(answer, context);
  return new Response(body, init);
}

function toHeaders(headers: PlainAnswer["headers"], fill: (text: string) => string): Headers {
  return new Headers(
    Object.entries(headers ?? {}).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, fill(each)]),
    ),
  );
}

export interface AnswerContext {
  /** The named groups of the call's path. */
  params: Record<string, string>;
  readFile: ReadFile;
}

/** @param file as the answer names it */
export type ReadFile = (file: string) => Promise<Uint8Array<ArrayBuffer>>;

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

async function bodyOf(
  { json, text, bytes, file }: PlainAnswer,
  { fill, readFile }: { fill: (text: string) => string; readFile: ReadFile },
): Promise<{ body: Uint8Array<ArrayBuffer> | string | null; type?: string }> {
  if (json !== undefined) return { body: JSON.stringify(fillJson(json, fill)), type: "application/json" };
  if (text !== undefined) return { body: fill(text), type: "text/plain;charset=UTF-8" };
  if (bytes !== undefined) return { body: fromBase64(bytes), type: "application/octet-stream" };
  if (file !== undefined) return { body: await readFile(file), type: typeOf(file) };
  return { body: null };
}

function fillJson(value: unknown, fill: (text: string) => string): unknown {
  if (typeof value === "string") return fill(value);
  if (Array.isArray(value)) return value.map((each) => fillJson(each, fill));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fillJson(each, fill)]));
}

const TYPES: Record<string, string> = {
  ".json": "application/json",
  ".html": "text/html;charset=UTF-8",
  ".txt": "text/plain;charset=UTF-8",
  ".xml": "application/xml",
  ".csv": "text/csv;charset=UTF-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".pdf": "application/pdf",
};

function typeOf(file: string): string {
  return TYPES[/\.\w+$/.exec(file)?.[0].toLowerCase() ?? ""] ?? "application/octet-stream";
}
