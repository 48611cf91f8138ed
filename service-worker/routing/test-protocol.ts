/** The names that a vitest test and the service worker share. */

/** The binding that brings a test its door; it is gone from `env` before any code of the user runs. */
export const TEST_BINDING = "MINIFLARE_VPC_TEST";

/** Key of `Symbol.for`: where the door lies on `globalThis` of a test's isolate. */
export const DOOR_KEY = "miniflare-vpc.test-door";
