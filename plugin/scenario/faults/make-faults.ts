/**
 * The functions that a test imports to write a fault. Each throws a TypeError that says what to write instead.
 * Imports nothing of Node, because it also runs in workerd.
 */

import type { ProxyErrorCode } from "../../../service-worker/routing/error-codes.ts";
import { isPlainObject, quote } from "../../read/quote.ts";
import {
  ATTRIBUTES,
  type AttributesOf,
  type FaultField,
  type FaultOf,
  type FaultType,
  STREAM,
  type Stream,
  TOXICITY,
  fillIn,
  findFieldProblem,
  findSizeProblem,
} from "./fault.ts";
import { findUnknown, formatMistake } from "../mistake.ts";

export interface FaultOptions {
  /** Which bytes the fault acts on: those to the target (`upstream`), or those from it. Default: `downstream`. */
  stream?: Stream;
  /** The share of requests or connections that the fault hits, 0 to 1. Default: 1. */
  toxicity?: number;
}

export interface LatencyOptions extends FaultOptions {
  /** Milliseconds by which each delay is longer or shorter, at random. Default: 0. */
  jitter?: number;
}

export interface SlicerOptions extends FaultOptions {
  /** Bytes. */
  averageSize: number;
  /** Bytes by which a slice is larger or smaller, at random; less than the average. Default: 0. */
  sizeVariation?: number;
  /** Microseconds between two slices. Default: 0. */
  delay?: number;
}

/** Delays all bytes. @param ms milliseconds */
export function latency(ms: number, options: LatencyOptions = {}): FaultOf<"latency"> {
  return make("latency", options, { latency: ["ms", ms], jitter: ["jitter", optionOf(options, "jitter")] });
}

/** Lets through so many kilobytes per second; 0: nothing until the fault is removed. */
export function bandwidth(kilobytesPerSecond: number, options: FaultOptions = {}): FaultOf<"bandwidth"> {
  return make("bandwidth", options, { rate: ["kilobytesPerSecond", kilobytesPerSecond] });
}

/** Delays the end of the stream. @param ms milliseconds */
export function slowClose(ms: number, options: FaultOptions = {}): FaultOf<"slow_close"> {
  return make("slow_close", options, { delay: ["ms", ms] });
}

/** Drops all bytes, and closes the connection after so many milliseconds without any; 0: when the fault is removed. */
export function timeout(ms: number, options: FaultOptions = {}): FaultOf<"timeout"> {
  return make("timeout", options, { timeout: ["ms", ms] });
}

/** Resets the connection so many milliseconds after its first bytes. Default: at once. */
export function resetPeer(ms = 0, options: FaultOptions = {}): FaultOf<"reset_peer"> {
  return make("reset_peer", options, { timeout: ["ms", ms] });
}

/** Cuts the bytes into small pieces. */
export function slicer(options: SlicerOptions): FaultOf<"slicer"> {
  return make("slicer", options, {
    average_size: ["averageSize", optionOf(options, "averageSize")],
    size_variation: ["sizeVariation", optionOf(options, "sizeVariation")],
    delay: ["delay", optionOf(options, "delay")],
  });
}

/** Closes the connection after so many bytes. */
export function limitData(bytes: number, options: FaultOptions = {}): FaultOf<"limit_data"> {
  return make("limit_data", options, { bytes: ["bytes", bytes] });
}

/** Refuses new connections, and cuts those that are open. */
export function down(options: FaultOptions = {}): FaultOf<"down"> {
  return make("down", options, {});
}

/** Answers requests with this status instead of the target. */
export function httpStatus(status: number, options: FaultOptions = {}): FaultOf<"http_status"> {
  return make("http_status", options, { status: ["status", status] });
}

/** Fails requests with this error code. */
export function failure(code: ProxyErrorCode, options: FaultOptions = {}): FaultOf<"failure"> {
  return make("failure", options, { code: ["code", code] });
}

/** Breaks a response's body off after so many bytes. */
export function truncate(bytes: number, options: FaultOptions = {}): FaultOf<"truncate"> {
  return make("truncate", options, { bytes: ["bytes", bytes] });
}

/** What the caller calls an attribute, and the value that was given. */
type Given = readonly [label: string, value: unknown];

function make<Type extends FaultType>(
  type: Type,
  options: FaultOptions,
  given: { readonly [Key in keyof AttributesOf<Type>]: Given },
): FaultOf<Type> {
  const call = `${type.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}()`;
  if (!isPlainObject(options)) {
    const example = type === "slicer" ? "{ averageSize: 1024 }" : '{ stream: "upstream" }';
    throw new TypeError(`${call}: the options are ${quote(options)}, but must be an object: ${example}`);
  }
  const { stream = "downstream", toxicity = 1 } = options;
  const all: Record<string, Given> = given;
  const labels = Object.fromEntries(Object.entries(all).map(([key, [label]]) => [key, label]));
  const attributes = fillIn(type, Object.fromEntries(Object.entries(all).map(([key, [, value]]) => [key, value])));
  const problem =
    findUnknown(options, {
      known: [...Object.values(labels), "stream", "toxicity"],
      what: `an option of ${call}`,
    })[0] ??
    Object.entries<FaultField>(ATTRIBUTES[type])
      .map(([key, field]) => findFieldProblem(labels[key] ?? key, attributes[key], field))
      .find((found) => found !== undefined) ??
    findSizeProblem(attributes, ["sizeVariation", "averageSize"]) ??
    findFieldProblem("stream", stream, STREAM) ??
    findFieldProblem("toxicity", toxicity, TOXICITY);
  if (problem !== undefined) throw new TypeError(`${call}: ${formatMistake(problem)}`);
  return { type, stream, toxicity, attributes } as FaultOf<Type>;
}

/** `make` reports options that are no object. */
function optionOf(options: object, key: string): unknown {
  return isPlainObject(options) ? options[key] : undefined;
}
