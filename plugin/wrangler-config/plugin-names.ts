/** The names of our Miniflare plugins, by the type of binding. wrangler's table shows them. */

import type { VpcBinding } from "../model.ts";

export const PLUGIN_NAMES: Record<VpcBinding["bindingType"], string> = {
  "vpc-service": "VPC Service",
  "vpc-network": "VPC Network",
  hyperdrive: "Hyperdrive Config",
};
