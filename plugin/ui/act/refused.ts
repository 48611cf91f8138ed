/** Why something can't be done with a call, in words. */

import { ControlError } from "../../control/control-request.ts";

/** @returns an error whose message the page shows */
export function refused(why: string): ControlError {
  return new ControlError(409, why);
}
