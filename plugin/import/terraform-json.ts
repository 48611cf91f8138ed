/**
 * The VPC Services in Terraform's JSON: a state file, `terraform show -json` of a state or of a plan. The fields of
 * the resource are those of the API's record.
 */

import { type VpcDocument, isTable } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { RecordSource } from "./record.ts";

/** Of the provider's version 5, and of releases before it was renamed. */
export const RESOURCE_TYPE: RegExp = /^cloudflare_(zero_trust_)?connectivity_directory_service$/;

const UNKNOWN = 'What only Terraform knows is in no plan. Apply it, and import "terraform show -json".';

/** @returns undefined when it is none of Terraform's */
export function findTerraformRecords(document: VpcDocument): RecordSource[] | undefined {
  const { value } = document;
  if (!isTable(value)) return undefined;
  if (isTable(value["planned_values"])) {
    return [
      ...inModule(document, {
        value: value["planned_values"]["root_module"],
        at: ["planned_values", "root_module"],
        note: UNKNOWN,
      }),
    ];
  }
  if (isTable(value["values"]) && isTable(value["values"]["root_module"])) {
    return [...inModule(document, { value: value["values"]["root_module"], at: ["values", "root_module"] })];
  }
  if (typeof value["terraform_version"] !== "string") return undefined;
  return Array.isArray(value["resources"]) ? [...inState(document, value["resources"])] : [];
}

interface Module {
  value: unknown;
  at: Path;
  note?: string;
}

function* inModule(document: VpcDocument, { value, at, note }: Module): Generator<RecordSource> {
  if (!isTable(value)) return;
  for (const [index, resource] of listOf(value["resources"]).entries()) {
    if (!isService(resource)) continue;
    yield {
      value: resource["values"],
      at: [...at, "resources", index, "values"],
      document,
      aliases: namesOf(resource),
      ...(note !== undefined && { note }),
    };
  }
  for (const [index, child] of listOf(value["child_modules"]).entries()) {
    yield* inModule(document, {
      value: child,
      at: [...at, "child_modules", index],
      ...(note !== undefined && { note }),
    });
  }
}

function* inState(document: VpcDocument, resources: readonly unknown[]): Generator<RecordSource> {
  for (const [index, resource] of resources.entries()) {
    if (!isService(resource)) continue;
    for (const [position, instance] of listOf(resource["instances"]).entries()) {
      if (!isTable(instance)) continue;
      const at = ["resources", index, "instances", position, "attributes"];
      yield { value: instance["attributes"], at, document, aliases: namesOf(resource) };
    }
  }
}

function isService(resource: unknown): resource is Record<string, unknown> {
  return isTable(resource) && typeof resource["type"] === "string" && RESOURCE_TYPE.test(resource["type"]);
}

function namesOf(resource: Record<string, unknown>): string[] {
  return typeof resource["name"] === "string" ? [resource["name"]] : [];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
