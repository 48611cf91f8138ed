/** Flags that several commands share, so that they are called and explained the same. */

export const CONFIG_FLAG = {
  type: "string",
  short: "c",
  value: "FILE",
  isRepeated: true,
  completes: "file",
  summary: "the wrangler config, in place of the one wrangler would find; again for each Worker of a session",
} as const;

export const ENV_FLAG = {
  type: "string",
  short: "e",
  value: "NAME",
  mayBeEmpty: true,
  completes: "environment",
  summary: 'the environment of the wrangler config; "" is the top level',
} as const;

export const JSON_FLAG = { type: "boolean", summary: "print JSON, for programs" } as const;

export const WORKER_FLAG = {
  type: "string",
  short: "w",
  value: "NAME",
  completes: "worker",
  summary: "the Worker, where several have a binding of that name",
} as const;
