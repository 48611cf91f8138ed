/** Says which binding a user may have meant with a name that is taken for a destination. Pure. */

import type { Binding, RoutingTable } from "../../service-worker/routing/table.ts";
import { didYouMean } from "../did-you-mean.ts";

/**
 * @param text no binding's name; a host name that nothing has asked for yet is right
 * @returns a sentence if it is the name of a service, or near that of a binding, and no host that the table knows
 */
export function hintAtBinding(text: string, table: RoutingTable): string | undefined {
  const bindings = Object.values(table.bindings);
  const hint = hintAtService(text, bindings) ?? hintAtName(text, bindings);
  // Last, because a table may have thousands of hosts, and a test adds rules often.
  return hint === undefined || isKnownHost(text.toLowerCase(), table) ? undefined : hint;
}

function hintAtService(text: string, bindings: readonly Binding[]): string | undefined {
  const meant = bindings.filter(
    (binding) => binding.kind === "service" && (binding.service.label === text || binding.serviceId === text),
  );
  const names = [...new Set(meant.map(({ bindingName }) => bindingName))];
  if (names.length === 0) return undefined;
  const known = names.length === 1 ? `its binding is ${names.join()}` : `its bindings are ${names.join(" and ")}`;
  return `${JSON.stringify(text)} is a service of the vpc config, not a binding; ${known}.`;
}

function hintAtName(text: string, bindings: readonly Binding[]): string | undefined {
  const near = didYouMean(text, new Set(bindings.map(({ bindingName }) => bindingName)));
  return near === undefined
    ? undefined
    : `${JSON.stringify(text)} is no binding. Did you mean ${JSON.stringify(near)}?`;
}

function isKnownHost(host: string, { bindings, networks }: RoutingTable): boolean {
  return (
    Object.values(bindings).some((binding) => binding.kind === "service" && binding.service.hosts.includes(host)) ||
    networks.some(({ routes }) => routes.some(({ match }) => match.type === "name" && match.name === host))
  );
}
