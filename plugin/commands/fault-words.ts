/**
 * Reads and writes faults as `miniflare-vpc fault` takes them: `latency=200 jitter=50 down`. Checks no values.
 */

import { ATTRIBUTES, type Fault, type FaultField, type FaultType } from "../scenario/faults/fault.ts";
import { UsageError } from "./usage-error.ts";

/** The attribute that the value behind the fault's own word is; undefined: it has none. */
const MAIN: { readonly [Type in FaultType]: string | undefined } = {
  latency: "latency",
  bandwidth: "rate",
  slow_close: "delay",
  timeout: "timeout",
  reset_peer: "timeout",
  slicer: "average_size",
  limit_data: "bytes",
  down: undefined,
  http_status: "status",
  failure: "code",
  truncate: "bytes",
};

/** As JSON has it; not checked. */
export interface WrittenFault {
  type: string;
  stream?: string;
  toxicity?: unknown;
  attributes: Record<string, unknown>;
}

/** @throws {UsageError} if a value comes before its fault */
export function parseFaultWords(words: readonly string[]): WrittenFault[] {
  const faults: WrittenFault[] = [];
  for (const word of words) {
    const [, key = word, text] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    const value = text === undefined ? undefined : toValue(text);
    const last = faults.at(-1);
    if (isKnown(key) || last === undefined) {
      if (key === "stream" || key === "toxicity" || key === "jitter")
        throw new UsageError(
          `${JSON.stringify(word)} comes before a fault. Write the fault first: latency=200 ${word}.`,
        );
      const main = isKnown(key) ? MAIN[key] : undefined;
      faults.push({ type: key, attributes: value === undefined ? {} : { [main ?? "value"]: value } });
    } else if (key === "stream") last.stream = String(text);
    else if (key === "toxicity") last.toxicity = value;
    else last.attributes[key] = value;
  }
  return faults;
}

/** Formats a fault of the vpc config, without defaults: `fault latency=200 jitter=50 toxicity=0.5`. */
export function formatFault({ type, attributes, stream, toxicity }: Fault): string {
  const defaults: Record<string, FaultField> = ATTRIBUTES[type];
  const values = Object.entries(attributes).filter(([key, value]) => value !== defaults[key]?.default);
  const main = values.find(([key]) => key === MAIN[type]);
  return [
    "fault",
    main === undefined ? type : `${type}=${main[1]}`,
    ...values.filter((value) => value !== main).map(([key, value]) => `${key}=${value}`),
    ...(stream === "upstream" ? [`stream=${stream}`] : []),
    ...(toxicity < 1 ? [`toxicity=${toxicity}`] : []),
  ].join(" ");
}

function isKnown(key: string): key is FaultType {
  return Object.hasOwn(MAIN, key);
}

/** A text that is no number stays, for the message about it. */
function toValue(text: string): unknown {
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
