/** Parses an OpenAPI document as a target: `"openapi:FILE"`. What is in the file is checked when the config is loaded. */

import path from "node:path";

import type { ModelTarget } from "../model.ts";
import { type Parsing, quote } from "../read/document.ts";
import type { Path } from "../read/locate.ts";
import { isNamedFile } from "./named-file.ts";

/** @param name the part after `openapi:` */
export function parseOpenapi(name: string, at: Path, parsing: Parsing): ModelTarget | undefined {
  const { document, report } = parsing;
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(name)) {
    report({
      code: "invalid-target",
      text: `the target ${quote(`openapi:${name}`)} names a URL, not a file`,
      at,
      notes: ['Write "openapi:./users.yaml": a path from the folder of the vpc config.'],
    });
    return undefined;
  }
  const named = { name, at, code: "openapi-not-found", what: "the OpenAPI document", example: "./users.yaml" };
  if (!isNamedFile(named, parsing)) return undefined;
  const file = path.resolve(document.folder, name);
  return { type: "stand-in", standIn: { type: "openapi", file }, text: `openapi:${name}`, at };
}
