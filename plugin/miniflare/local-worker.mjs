/**
 * The empty Worker of `local.json`. Its only binding makes Miniflare load the plugin, which then removes the binding.
 * If the binding is still there, this Miniflare is too old to load plugins. Gets no requests.
 */
import * as workers from "cloudflare:workers";

if (workers.env?.MINIFLARE_VPC !== undefined) {
  console.error(
    "miniflare-vpc: this wrangler is too old to load the plugin, so no VPC binding works. miniflare-vpc requires wrangler 4.120.1 or newer. Run:\n    npm install --save-dev wrangler@latest",
  );
}
export default {};
