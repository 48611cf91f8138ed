/** Parses the value of a route: a target, or an object with a "target" and settings for this route. */

import type { RouteSettings } from "../../service-worker/routing/table.ts";
import type { ModelTarget, RouteModel } from "../model.ts";
import { type Parsing, isPlainObject, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { checkFields } from "./check-fields.ts";
import { routeFields } from "./config-schema.ts";
import { parseCa } from "./parse-ca.ts";
import { parseFaultList } from "./parse-fault-list.ts";
import { parseLimits } from "./parse-limits.ts";
import { MOVE_RATE_LIMIT, isTargetObject, parseTarget } from "./parse-target.ts";

/** If `target` is undefined, the mistake has been reported. */
type ParsedEntry = Pick<RouteModel, "settings"> & { target: RouteModel["target"] | undefined };

export function parseRouteEntry(value: unknown, at: Path, parsing: Parsing): ParsedEntry {
  if (!isPlainObject(value) || isTarget(value)) return { target: parseTarget(value, at, parsing) };
  if (Object.hasOwn(value, "deny")) {
    reportDeny(value, at, parsing);
    return { target: undefined };
  }
  const { rateLimit, ...fields } = value;
  if (rateLimit !== undefined) {
    parsing.report({
      code: "misplaced-rate-limit",
      text: '"rateLimit" cannot be set for a route, because it counts the calls of a binding',
      at: [...at, "rateLimit"],
      part: "key",
      notes: [MOVE_RATE_LIMIT],
    });
  }
  const entry = checkFields({ fields: routeFields, what: "a route", value: fields, at }, parsing);
  const target = entry.target === undefined ? undefined : parseTarget(entry.target, [...at, "target"], parsing);
  const settings: RouteSettings = {};
  const verify = entry.tls_settings?.cert_verification_mode;
  if (verify !== undefined) settings.verify = verify;
  const ca = parseCa({ value: value["ca"], at: [...at, "ca"] }, parsing);
  if (ca.length > 0) settings.ca = ca;
  const limits = parseLimits(entry);
  if (Object.keys(limits).length > 0) settings.limits = limits;
  const faults = parseFaultList(
    { value: entry.faults, at: [...at, "faults"], tcpOnly: tcpOnlyTarget(target) },
    parsing,
  );
  if (faults.length > 0) settings.faults = faults;
  return { target, ...(Object.keys(settings).length > 0 && { settings }) };
}

/** For all other targets, the call says which it is. */
function tcpOnlyTarget(target: ModelTarget | undefined): string | undefined {
  if (target?.type !== "function" || typeof target.call === "function") return undefined;
  return target.call.fetch === undefined ? "the function of this route" : undefined;
}

/** Whether an object is a target: functions, a stand-in, or "deny" without a route's fields. `reportDeny` reports "deny" with them. */
function isTarget(value: Record<string, unknown>): boolean {
  if (Object.hasOwn(value, "deny")) {
    return !Object.keys(value).some((key) => value[key] !== undefined && isRouteField(key));
  }
  // A recording has a target of its own.
  return Object.hasOwn(value, "har") || (value["target"] === undefined && isTargetObject(value));
}

function isRouteField(key: string): boolean {
  return Object.hasOwn(routeFields, key) || key === "rateLimit";
}

function reportDeny(value: Record<string, unknown>, at: Path, { report }: Parsing): void {
  const others = Object.keys(value).filter((key) => key !== "deny" && value[key] !== undefined);
  report({
    code: "deny-with-fields",
    text: `"deny" cannot be used with ${others.map(quote).join(", ")}`,
    at: [...at, "deny"],
    part: "key",
    notes: [
      value["target"] !== undefined
        ? 'A route either refuses or has a target. Remove "deny" or "target".'
        : 'A refused call has no settings. Write only { "deny": code }.',
    ],
  });
}
