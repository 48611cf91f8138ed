/** The faults that the panel offers, with their knobs, in Toxiproxy's words. */

export interface Knob {
  /** As the fault's attribute is called. */
  attribute: string;
  label: string;
  /** Absent: it is an error code. */
  unit?: string;
  first: number | string;
  min?: number;
}

export interface OfferedToxic {
  type: string;
  summary: string;
  knobs: readonly Knob[];
  /** It answers in place of the target, in no direction. */
  hasNoStream?: true;
}

export const TOXICS: readonly OfferedToxic[] = [
  {
    type: "latency",
    summary: "Delays all bytes.",
    knobs: [
      { attribute: "latency", label: "Latency", unit: "ms", first: 200 },
      { attribute: "jitter", label: "Jitter", unit: "± ms", first: 0 },
    ],
  },
  {
    type: "bandwidth",
    summary: "Limits how fast bytes pass.",
    knobs: [{ attribute: "rate", label: "Rate", unit: "kB/s", first: 64 }],
  },
  {
    type: "slow_close",
    summary: "Delays the end of a connection.",
    knobs: [{ attribute: "delay", label: "Delay", unit: "ms", first: 1000 }],
  },
  {
    type: "timeout",
    summary: "Lets no bytes pass, and closes the connection after a time. 0: when the fault is removed.",
    knobs: [{ attribute: "timeout", label: "Timeout", unit: "ms", first: 0 }],
  },
  {
    type: "reset_peer",
    summary: "Resets the connection after a time.",
    knobs: [{ attribute: "timeout", label: "After", unit: "ms", first: 0 }],
  },
  {
    type: "slicer",
    summary: "Cuts the bytes into small pieces.",
    knobs: [
      { attribute: "average_size", label: "Average size", unit: "bytes", first: 64, min: 1 },
      { attribute: "size_variation", label: "Variation", unit: "± bytes", first: 32 },
      { attribute: "delay", label: "Delay", unit: "µs", first: 0 },
    ],
  },
  {
    type: "limit_data",
    summary: "Closes the connection after so many bytes.",
    knobs: [{ attribute: "bytes", label: "Bytes", unit: "bytes", first: 1024 }],
  },
  {
    type: "down",
    summary: "Refuses new connections, and cuts those that are open.",
    knobs: [],
    hasNoStream: true,
  },
  {
    type: "http_status",
    summary: "Answers fetch() with a status in place of the target.",
    knobs: [{ attribute: "status", label: "Status", unit: "200 to 599", first: 503, min: 200 }],
    hasNoStream: true,
  },
  {
    type: "failure",
    summary: "Fails with an error code.",
    knobs: [{ attribute: "code", label: "Code", first: "connection_refused" }],
    hasNoStream: true,
  },
  {
    type: "truncate",
    summary: "Breaks the body of an answer off after so many bytes; fetch() only.",
    knobs: [{ attribute: "bytes", label: "Bytes", unit: "bytes", first: 100 }],
    hasNoStream: true,
  },
];

/** As `POST api/rules` takes it. */
export interface WrittenToxic {
  type: string;
  stream: string;
  toxicity: number;
  attributes: Record<string, number | string>;
}

/** The attributes of a fault as they stand in its knobs. */
export function writeToxic(
  { type, knobs, hasNoStream }: OfferedToxic,
  { values, stream, toxicity }: { values: Record<string, string>; stream: string; toxicity: string },
): WrittenToxic {
  return {
    type,
    stream: hasNoStream ? "downstream" : stream,
    toxicity: Number(toxicity),
    attributes: Object.fromEntries(
      knobs.map(({ attribute, unit, first }) => {
        const value = values[attribute] ?? String(first);
        return [attribute, unit === undefined ? value : Number(value)];
      }),
    ),
  };
}
