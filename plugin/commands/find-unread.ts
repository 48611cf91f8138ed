/** Finds places whose VPC bindings have no effect: a `cloudflare.config.ts`, and a Pages project. */

import { existsSync } from "node:fs";
import path from "node:path";

import type { Diagnostic } from "../diagnostics.ts";
import { NEW_CONFIG } from "../wrangler-config/read-new-config.ts";
import { activeSection, environmentsOf, isPages, VPC_KEYS } from "../wrangler-config/read-wrangler.ts";
import type { Project } from "./read-project.ts";

export function findUnread({ raw, file, userFile, locate }: Project["configs"][number]): Diagnostic[] {
  const newConfig = path.join(path.dirname(userFile), NEW_CONFIG);
  const found: Diagnostic[] = [];
  if (existsSync(newConfig) && userFile !== newConfig) {
    found.push({
      severity: "warning",
      code: "new-config-unread",
      text: `this file is not read; the VPC bindings in ${path.basename(userFile)} are used`,
      file: newConfig,
      notes: [`wrangler reads it only with --experimental-new-config. To use it here: --config ${NEW_CONFIG}.`],
    });
  }
  const hasBindings = [raw, ...environmentsOf(raw).map((env) => activeSection(raw, env))].some((section) =>
    VPC_KEYS.some((key) => section[key] !== undefined),
  );
  if (isPages(raw) && !hasBindings) {
    found.push({
      severity: "warning",
      code: "pages-project",
      text: "this is a Pages project, and Pages has no VPC bindings",
      file,
      ...locate(["pages_build_output_dir"], "key"),
      notes: ['Make it a Worker with static assets: "main" and "assets" in place of "pages_build_output_dir".'],
    });
  }
  return found;
}
