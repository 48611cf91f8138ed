/** Finds the OpenAPI documents that a vpc config names. Apart from the rest, because each load of a config asks. */

import type { ModelTarget, VpcModel } from "../model.ts";

/** @returns each target of a model that is an OpenAPI document, with its file */
export function openapiTargetsOf({ services, networks }: VpcModel): { target: ModelTarget; file: string }[] {
  const found: { target: ModelTarget; file: string }[] = [];
  const look = ({ target }: { target?: ModelTarget }): void => {
    if (target?.type === "stand-in" && target.standIn.type === "openapi")
      found.push({ target, file: target.standIn.file });
  };
  for (const entry of services.values()) if (entry.kind === "entry") look(entry);
  for (const entry of networks.values()) if (entry.kind === "entry") entry.routes.forEach(look);
  return found;
}
