/** Lists all that is in force beside the routes: rules and faults, of whomever, and the faults of the vpc config. */

import type { Fault } from "../../service-worker/routing/fault.ts";
import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { formatFault } from "../commands/fault-words.ts";
import { formatTableTarget } from "../commands/format-target.ts";
import type { Effect, ScenarioRule } from "../scenario/rule.ts";
import type { Scenario } from "../scenario/scenario.ts";
import type { ConfigFaultView, InForceView, RuleView } from "./traffic-view.ts";

/** The owner of the rules that the page makes. */
export const PAGE = "traffic page";

export function viewInForce({ rules, isStrict, context }: Scenario): InForceView {
  return { rules: rules.map(viewRule), configFaults: configFaultsOf(context.table), isStrict };
}

function viewRule({ id, whoText, call, effect, decided, owner, left }: ScenarioRule): RuleView {
  return {
    id,
    who: whoText,
    ...(!call.isAny && { call: call.text }),
    effect: effect.type,
    text: describeEffect(effect),
    from: owner === PAGE ? "page" : owner === undefined || owner.includes(" ") ? "control" : "test",
    decided,
    ...(left < 1 && { isUsedUp: true as const }),
  };
}

export function describeEffect(effect: Effect): string {
  switch (effect.type) {
    case "respond": {
      const statuses = effect.answers.map(({ status = 200 }) => status);
      return `answers ${statuses.slice(0, 3).join(", ")}${statuses.length > 3 ? " …" : ""}`;
    }
    case "respondBy":
      return "answers by a function";
    case "connectBy":
      return "is played by a function";
    case "fail":
      return `fails with ${effect.code}`;
    case "to":
      return `leads to ${formatTableTarget(effect.target)}`;
    case "faults":
      return describeFaults(effect.faults);
    default:
      return effect satisfies never;
  }
}

function describeFaults(faults: readonly Fault[]): string {
  return faults.map((fault) => formatFault(fault).replace(/^fault /, "")).join("; ");
}

function configFaultsOf({ bindings, networks }: RoutingTable): ConfigFaultView[] {
  const ofServices = Object.values(bindings).flatMap((binding) =>
    binding.kind === "service" && binding.faults !== undefined
      ? [{ who: binding.bindingName, text: describeFaults(binding.faults), origin: binding.service.origin }]
      : [],
  );
  const ofRoutes = networks.flatMap(({ routes }) =>
    routes.flatMap(({ text, settings, origin }) =>
      settings?.faults === undefined ? [] : [{ who: text, text: describeFaults(settings.faults), origin }],
    ),
  );
  return [...ofServices, ...ofRoutes];
}
