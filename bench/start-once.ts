/**
 * Starts one Miniflare instance, sends its parent the milliseconds until the first answer, and stays until the parent
 * disconnects. Its argument is a `Size` as JSON; without one, there is no plugin.
 */

import { Miniflare } from "miniflare";
import { withVpc } from "miniflare-vpc";
import { type Size, configFor, optionsFor } from "./sized-config.ts";

const [argument] = process.argv.slice(2);
const size = argument === undefined ? undefined : (JSON.parse(argument) as Size);
const plain = optionsFor(size, "export default { fetch: () => new Response() }");
const options = size === undefined ? plain : withVpc(plain, { config: configFor(size) });

const started = performance.now();
const miniflare = new Miniflare(options);
await (await miniflare.dispatchFetch("http://worker/")).text();
process.send?.(performance.now() - started);

process.once("disconnect", () => void miniflare.dispose());
