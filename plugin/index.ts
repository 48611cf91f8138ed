/** The package's public surface: what Miniflare loads, and what a user imports. */

export * from "./config.ts";
export type { ProxyErrorCode } from "../service-worker/routing/error-codes.ts";
export { ConfigError, type Diagnostic } from "./diagnostics.ts";
export { plugins } from "./miniflare/plugin.ts";
export { type InstanceOptions, withVpc } from "./adapters/with-vpc.ts";
export type { VpcOptions } from "./miniflare/loader.ts";
