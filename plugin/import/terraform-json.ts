/**
 * Finds the VPC Services in Terraform's JSON: a state file, or `terraform show -json` of a state or a plan. The resource
 * has the same fields as the API's record.
 */

import { type VpcDocument, isPlainObject } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import type { RecordSource } from "./record.ts";

/** The resource of the provider's version 5, and its name in earlier releases. */
export const RESOURCE_TYPE: RegExp = /^cloudflare_(zero_trust_)?connectivity_directory_service$/;

const UNKNOWN =
  'A plan lacks values that are known only after "apply". Apply it, then import the output of "terraform show -json".';

/** @returns undefined if it isn't Terraform's JSON */
export function findTerraformRecords(document: VpcDocument): RecordSource[] | undefined {
  const { value } = document;
  if (!isPlainObject(value)) return undefined;
  if (isPlainObject(value["planned_values"])) {
    return [
      ...inModule(document, {
        value: value["planned_values"]["root_module"],
        at: ["planned_values", "root_module"],
        note: UNKNOWN,
      }),
    ];
  }
  if (isPlainObject(value["values"]) && isPlainObject(value["values"]["root_module"])) {
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
  if (!isPlainObject(value)) return;
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
      if (!isPlainObject(instance)) continue;
      const at = ["resources", index, "instances", position, "attributes"];
      yield { value: instance["attributes"], at, document, aliases: namesOf(resource) };
    }
  }
}

function isService(resource: unknown): resource is Record<string, unknown> {
  return isPlainObject(resource) && typeof resource["type"] === "string" && RESOURCE_TYPE.test(resource["type"]);
}

function namesOf(resource: Record<string, unknown>): string[] {
  return typeof resource["name"] === "string" ? [resource["name"]] : [];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
