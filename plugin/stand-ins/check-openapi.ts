/**
 * Checks the OpenAPI documents that a vpc config names: that the mock server is installed, and that each can be read.
 * Loads no mock server.
 */

import { readFileSync } from "node:fs";

import type { Diagnostic } from "../diagnostics.ts";
import type { VpcModel } from "../model.ts";
import { quote, reportTo } from "../read/document.ts";
import { positionsOf } from "../read/locate.ts";
import { messageOf } from "../system/error.ts";
import { INSTALL_MOCK_SERVER, MOCK_SERVER, findMockServer } from "./find-mock-server.ts";
import { followReferences } from "./openapi-files.ts";
import { openapiTargetsOf } from "./openapi-targets.ts";
import { isJsonFile, readOpenapi } from "./openapi-document.ts";

/** Bytes. A larger YAML document takes too long to parse at the start; the mock server finds its mistakes when it is asked. */
const MAX_YAML = 256 * 1024;

/** Each mistake is reported once, also if several targets name the same document. */
export function checkOpenapi(model: VpcModel, diagnostics: Diagnostic[]): void {
  const named = openapiTargetsOf(model);
  const [first] = named;
  if (first !== undefined && findMockServer(model.document.folder) === undefined) {
    const { target } = first;
    reportTo(
      diagnostics,
      model.document,
    )({
      code: "mock-server-missing",
      text: `the target ${quote(target.type === "stand-in" ? target.text : "")} needs the package ${MOCK_SERVER}, which is not installed`,
      at: target.at,
      notes: [INSTALL_MOCK_SERVER],
    });
  }
  for (const file of new Set(named.map((each) => each.file))) {
    const mistake = findMistake(file);
    if (mistake !== undefined) diagnostics.push({ severity: "error", code: "invalid-openapi", file, ...mistake });
    else diagnostics.push(...missingFilesOf(file));
  }
}

/** Warnings, because only the operations that need such a file fail. */
function missingFilesOf(document: string): Diagnostic[] {
  return followReferences(document, readFileSync(document, "utf8")).missing.map(({ name, file, from }) => {
    const { line, column } = positionsOf(from.text)(from.offset);
    return {
      severity: "warning",
      code: "openapi-file-not-found",
      text: `the OpenAPI document refers to the file ${quote(name)}, which can't be read`,
      file: from.file,
      line,
      column,
      notes: [`The mock server answers 500 where it is needed. Its full path is ${file}.`],
    };
  });
}

function findMistake(file: string): Pick<Diagnostic, "text" | "notes" | "line" | "column"> | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    return { text: `the OpenAPI document can't be read: ${messageOf(error)}`, notes: [] };
  }
  if (!isJsonFile(file) && Buffer.byteLength(text) > MAX_YAML) return undefined;
  const read = readOpenapi(text, file);
  if (read.type === "document") return undefined;
  const { problem, note, line, column } = read;
  return {
    text: `the OpenAPI document ${problem}`,
    notes: note === undefined ? [] : [note],
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
}
