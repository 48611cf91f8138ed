/**
 * `miniflare-vpc/test`: directs the network from a vitest test, which runs in workerd together with the Worker under test.
 * Observes the session from the moment it is imported, so that the journal has every call of the test file.
 */

import { openDoor } from "./door.ts";
import { type Vpc, makeVpc } from "./vpc.ts";

export * from "../scenario/faults/make-faults.ts";
export type * from "./public-types.ts";

const { port, ready } = openDoor();

// A failure is reported by every method.
await ready.catch(() => undefined);

/** The network of this test file. Outside a vitest test whose config uses `withVpc()`, each method rejects. */
export const vpc: Vpc = makeVpc(port);
