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
  completes: "environment",
  summary: "the environment of the wrangler config",
} as const;

export const JSON_FLAG = { type: "boolean", summary: "print JSON, for programs" } as const;
