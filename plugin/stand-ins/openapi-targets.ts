/** Finds the OpenAPI documents that a vpc config names. Apart from the rest, because each load of a config asks. */

import type { ModelTarget, VpcModel } from "../model.ts";

/** @returns each target of a model that is an OpenAPI document, with its file */
export function openapiTargetsOf({ services, networks }: VpcModel): { target: ModelTarget; file: string }[] {
  const targets = [
    ...[...services.values()].flatMap((entry) => (entry.kind === "entry" && entry.target ? [entry.target] : [])),
    ...[...networks.values()]
      .flatMap((entry) => (entry.kind === "entry" ? entry.routes : []))
      .map(({ target }) => target),
  ];
  return targets.flatMap((target) =>
    target.type === "stand-in" && target.standIn.type === "openapi" ? [{ target, file: target.standIn.file }] : [],
  );
}
