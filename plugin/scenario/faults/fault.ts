/**
 * What a user writes to say how the network fails, in Toxiproxy's JSON shape. Checks such a value. Imports
 * nothing of Node, because it also runs in workerd.
 */

import { PROXY_ERROR_CODES, isProxyErrorCode } from "../../../service-worker/routing/error-codes.ts";
import type { Fault, Stream } from "../../../service-worker/routing/fault.ts";
import { isPlainObject, quote } from "../../read/quote.ts";
import { type Mistake, type PlacedMistake, findUnknown, formatMistake, placeUnknown, suggest } from "../mistake.ts";

export type { Fault, Stream };

export type FaultType = Fault["type"];
export type FaultOf<Type extends FaultType> = Extract<Fault, { type: Type }>;
export type AttributesOf<Type extends FaultType> = FaultOf<Type>["attributes"];

/** What a field of a fault may be. */
export interface FaultField {
  /** Completes "… but must be". */
  expected: string;
  accepts: (value: unknown) => boolean;
  /** Absent: the field is required. Toxiproxy's default is 0 for all. */
  default?: number;
  /** If the value is misspelt, it is one of these. */
  words?: readonly string[];
}

const time = { ...wholeNumber({ of: "milliseconds" }), default: 0 };
const bytes = wholeNumber({ of: "bytes" });

/** The attributes of each type. */
export const ATTRIBUTES: { readonly [Type in FaultType]: { readonly [Key in keyof AttributesOf<Type>]: FaultField } } =
  {
    latency: { latency: time, jitter: time },
    bandwidth: { rate: wholeNumber({ of: "kilobytes per second" }) },
    slow_close: { delay: time },
    timeout: { timeout: time },
    reset_peer: { timeout: time },
    slicer: {
      average_size: wholeNumber({ of: "bytes", from: 1 }),
      size_variation: { ...bytes, default: 0 },
      delay: { ...wholeNumber({ of: "microseconds" }), default: 0 },
    },
    limit_data: { bytes },
    down: {},
    http_status: {
      status: {
        expected: "a whole number from 200 to 599",
        accepts: (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599,
      },
    },
    failure: {
      code: {
        expected: "one of the error codes",
        accepts: (value) => typeof value === "string" && isProxyErrorCode(value),
        words: PROXY_ERROR_CODES,
      },
    },
    truncate: { bytes },
  };

export const STREAM: FaultField = {
  expected: '"upstream" or "downstream"',
  accepts: (value) => value === "upstream" || value === "downstream",
};

export const TOXICITY: FaultField = {
  expected: "a number from 0 to 1",
  accepts: (value) => typeof value === "number" && value >= 0 && value <= 1,
};

const NAME: FaultField = { expected: "a string", accepts: (value) => typeof value === "string" };

function wholeNumber({ of, from = 0 }: { of: string; from?: number }): FaultField {
  return {
    expected: `a whole number of ${of}, ${from} or more`,
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= from,
  };
}

/** Whether it does nothing to a connection. */
export function isForHttpOnly({ type }: Fault): boolean {
  return type === "http_status" || type === "truncate";
}

/** What breaks a connection in their place. */
export const INSTEAD_OF_HTTP_ONLY: readonly FaultType[] = ["down", "failure", "reset_peer", "limit_data"];

const FIELDS = ["name", "type", "stream", "toxicity", "attributes"];
export const FAULT_EXAMPLE = '{ "type": "latency", "attributes": { "latency": 200 } }';

/**
 * Checks a value of the control API, and fills in what is left out: the stream is `downstream` and the toxicity 1.
 *
 * @returns the fault, or what was found and what to type instead
 */
export function parseFault(value: unknown): Fault | { problem: string } {
  const checked = checkFault(value);
  if (!Array.isArray(checked)) return checked;
  const [first] = checked;
  return { problem: first === undefined ? "" : formatMistake(first) };
}

/** @returns the fault, or every mistake in it, at least one */
export function checkFault(value: unknown): Fault | PlacedMistake[] {
  if (!isPlainObject(value)) {
    return [{ text: `a fault is ${quote(value)}, but must be an object: ${FAULT_EXAMPLE}`, at: [] }];
  }
  // As Toxiproxy has it, an empty name is no name, and the stream may be in capitals.
  const { name, type, stream = "downstream", toxicity = 1, attributes = {} } = value;
  const direction = typeof stream === "string" ? stream.toLowerCase() : stream;
  if (type === undefined) return [{ text: 'a fault lacks "type"', note: `Write ${FAULT_EXAMPLE}.`, at: ["type"] }];
  if (!isFaultType(type)) {
    const text = `"type" is ${quote(type)}, which is not a fault`;
    return [{ text, note: suggest(type, Object.keys(ATTRIBUTES)), at: ["type"] }];
  }
  if (!isPlainObject(attributes)) {
    const text = `"attributes" is ${quote(attributes)}, but must be an object: ${FAULT_EXAMPLE}`;
    return [{ text, at: ["attributes"] }];
  }
  const schema: Record<string, FaultField> = ATTRIBUTES[type];
  const filled = fillIn(type, attributes);
  const mistakes = [
    ...findUnknown(value, { known: FIELDS, what: "a field of a fault" }).map(placeUnknown([])),
    ...(name === undefined ? [] : place(findFieldProblem("name", name, NAME), ["name"])),
    ...place(findFieldProblem("stream", direction, STREAM), ["stream"]),
    ...place(findFieldProblem("toxicity", toxicity, TOXICITY), ["toxicity"]),
    ...findUnknown(attributes, { known: Object.keys(schema), what: `an attribute of ${type}` }).map(
      placeUnknown(["attributes"]),
    ),
    ...Object.entries(schema).flatMap(([key, field]) =>
      place(findFieldProblem(`attributes.${key}`, filled[key], field), ["attributes", key]),
    ),
  ];
  const sizes = findSizeProblem(filled, ["attributes.size_variation", "attributes.average_size"]);
  if (mistakes.length === 0) mistakes.push(...place(sizes, ["attributes", "size_variation"]));
  if (mistakes.length > 0) return mistakes;
  return {
    ...(name !== undefined && name !== "" && { name }),
    type,
    stream: direction,
    toxicity,
    attributes: filled,
  } as Fault;
}

function place(found: Mistake | undefined, at: readonly string[]): PlacedMistake[] {
  return found === undefined ? [] : [{ ...found, at }];
}

export function isFaultType(value: unknown): value is FaultType {
  return typeof value === "string" && Object.hasOwn(ATTRIBUTES, value);
}

/** The attributes of a type, with the defaults in place of what is left out. */
export function fillIn(type: FaultType, attributes: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries<FaultField>(ATTRIBUTES[type]).map(([key, field]) => [key, attributes[key] ?? field.default]),
  );
}

/** @param label what the user calls the field */
export function findFieldProblem(
  label: string,
  value: unknown,
  { expected, accepts, words }: FaultField,
): Mistake | undefined {
  if (value === undefined) return { text: `${quote(label)} is missing, and must be ${expected}` };
  if (accepts(value)) return undefined;
  const text = `${quote(label)} is ${quote(value)}, but must be ${expected}`;
  return words === undefined ? { text } : { text, note: suggest(value, words) };
}

/** A slice would be empty, or as large as before. @param labels what the user calls the variation and the average */
export function findSizeProblem(
  { size_variation: variation, average_size: average }: Record<string, unknown>,
  [variationLabel, averageLabel]: [string, string],
): Mistake | undefined {
  if (variation === undefined || Number(variation) < Number(average)) return undefined;
  return {
    text: `${quote(variationLabel)} is ${quote(variation)}, but must be smaller than ${quote(averageLabel)}, which is ${quote(average)}`,
  };
}
