/** Says which binding a user may have meant with a name that is taken for a destination. Pure. */

import type { RoutingTable } from "../../service-worker/routing/table.ts";
import { didYouMean } from "../did-you-mean.ts";

/**
 * @param text no binding's name; a host name that nothing has asked for yet is right
 * @returns a sentence if it is the name of a service, or near that of a binding, and no host that the table knows
 */
export function hintAtBinding(text: string, table: RoutingTable): string | undefined {
  const bindings = Object.values(table.bindings);
  const services = bindings.filter((binding) => binding.kind === "service");
  const hosts = new Set([
    ...services.flatMap(({ service }) => service.hosts),
    ...table.networks.flatMap(({ routes }) => routes.map(({ match }) => (match.type === "name" ? match.name : ""))),
  ]);
  if (hosts.has(text.toLowerCase())) return undefined;
  const ofService = services.filter(({ service, serviceId }) => service.label === text || serviceId === text);
  const names = [...new Set(ofService.map(({ bindingName }) => bindingName))];
  if (names.length > 0) {
    const known = names.length === 1 ? `its binding is ${names.join()}` : `its bindings are ${names.join(" and ")}`;
    return `${JSON.stringify(text)} is a service of the vpc config, not a binding; ${known}.`;
  }
  const near = didYouMean(text, new Set(bindings.map(({ bindingName }) => bindingName)));
  return near === undefined
    ? undefined
    : `${JSON.stringify(text)} is no binding. Did you mean ${JSON.stringify(near)}?`;
}
