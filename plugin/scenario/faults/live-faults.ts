/**
 * The faults that hit one connection or one request. They may change while bytes flow.
 */

import type { Fault } from "./fault.ts";

export interface LiveFaults {
  /**
   * In the order in which they act. Their toxicity is already drawn. A fault stays the same one as long as the same
   * object is in the list; another object with the same name and type is an update of it.
   */
  readonly faults: readonly Fault[];
  /** @returns ends the subscription */
  onChange(listener: () => void): () => void;
}
