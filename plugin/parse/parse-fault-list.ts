/** Parses the "faults" of a route or a service. */

import type { Fault } from "../../service-worker/routing/fault.ts";
import type { Parsing } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { quote } from "../read/quote.ts";
import { INSTEAD_OF_HTTP_ONLY, checkFault, isForHttpOnly } from "../scenario/faults/fault.ts";

interface FaultList {
  /** Absent: there is none. */
  value: readonly unknown[] | undefined;
  at: Path;
  /** What takes only `connect()`, if it does: "this service". */
  tcpOnly: string | undefined;
}

/** @returns those without a mistake */
export function parseFaultList({ value, at, tcpOnly }: FaultList, { report }: Parsing): Fault[] {
  return (value ?? []).flatMap((written, index) => {
    const fault = checkFault(written);
    if (!Array.isArray(fault)) {
      if (tcpOnly !== undefined && isForHttpOnly(fault)) {
        report({
          severity: "warning",
          code: "fault-without-effect",
          text: `the fault ${quote(fault.type)} acts on fetch() only, and ${tcpOnly} takes only connect()`,
          at: [...at, index, "type"],
          notes: [`Use ${INSTEAD_OF_HTTP_ONLY.map(quote).join(", ")}.`],
        });
      }
      return [fault];
    }
    for (const { text, note, at: field, part } of fault) {
      report({
        code: "invalid-fault",
        text,
        at: [...at, index, ...field],
        ...(part !== undefined && { part }),
        ...(note !== undefined && { notes: [note] }),
      });
    }
    return [];
  });
}
