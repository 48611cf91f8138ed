/** Reports bindings that the vpc config has no entry for, and Hyperdrive bindings whose entry has no effect. */

import type { Report } from "../read/document.ts";
import { quote } from "../read/document.ts";
import type { VpcBinding, VpcModel } from "../model.ts";
import { databaseServicesIn, passwordVariable } from "../parse/parse-hyperdrive.ts";
import { findEntry } from "./link-keys.ts";

interface Place {
  model: VpcModel;
  report: Report;
}

interface Bound extends VpcBinding {
  /** What the user calls its Worker. */
  shownWorker: string;
}

export function reportUnlinked(binding: Bound, { model, report }: Place): void {
  const { section, entries, line, consequence } = missingEntry(binding, model);
  const isHyperdrive = binding.bindingType === "hyperdrive";
  const kind = isHyperdrive ? "Hyperdrive binding" : "binding";
  report({
    severity: "warning",
    code: isHyperdrive ? "no-hyperdrive-entry" : "no-entry",
    text: `the ${kind} ${quote(binding.bindingName)} of Worker ${quote(binding.shownWorker)} has no entry${consequence}`,
    at: entries.size > 0 ? [section] : [],
    part: "key",
    notes: [`Add ${line} to "${section}". The key can also be ${quote(binding.bindingName)}.`],
  });
}

interface MissingEntry {
  section: string;
  entries: ReadonlyMap<string, unknown>;
  /** To add. */
  line: string;
  /** The end of the sentence. */
  consequence: string;
}

function missingEntry(
  { bindingName, bindingType, id }: VpcBinding,
  { services, networks, hyperdrives }: VpcModel,
): MissingEntry {
  const consequence = ", so every call is refused";
  switch (bindingType) {
    case "vpc-service":
      return { section: "services", entries: services, line: `${quote(id)}: "localhost:3000"`, consequence };
    case "vpc-network": {
      const line = `${quote(id)}: { "routes": { "users.internal": "localhost:3000" } }`;
      return { section: "networks", entries: networks, line, consequence };
    }
    case "hyperdrive": {
      const [service = "a key of services", ...others] = databaseServicesIn(services);
      const password = `"passwordEnv": ${quote(passwordVariable(bindingName))}`;
      const named = quote(others.length === 0 ? service : "a key of services");
      const line = `${quote(id)}: { "service": ${named}, "database": "app", "user": "app", ${password} }`;
      const none = " and no connection string of its own, so every connection is refused";
      return { section: "hyperdrive", entries: hyperdrives, line, consequence: none };
    }
    default:
      return bindingType satisfies never;
  }
}

/** The connection string of a Hyperdrive binding wins over its entry, if it has one. */
export function reportOwnString(binding: VpcBinding, { model, report }: Place): void {
  const found = findEntry(model.hyperdrives, binding);
  if (found === undefined) return;
  report({
    severity: "warning",
    code: "own-connection-string",
    text: `this entry has no effect: the Hyperdrive binding ${quote(binding.bindingName)} has a connection string of its own, ${binding.ownString ?? ""}`,
    at: found.entry.at,
    part: "key",
    notes: ["Remove that connection string to use this entry, or remove this entry."],
  });
}
