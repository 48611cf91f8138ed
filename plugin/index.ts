/** The package's public surface: what Miniflare loads, and what a user imports. */

export { type VpcConfig, defineVpcConfig } from "./config.ts";
export { plugins } from "./plugin.ts";
export { type InstanceOptions, type VpcOptions, withVpc } from "./with-vpc.ts";
