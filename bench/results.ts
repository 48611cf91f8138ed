/** Reads and writes results/, one file per suite, and keeps docs/performance.md in step with it. */

import { mkdirSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import path from "node:path";
import { type Section, formatMissing, formatSection, replaceSection } from "./section.ts";

const FOLDER = path.join(import.meta.dirname, "results");
export const DOCUMENT: string = path.join(import.meta.dirname, "../docs/performance.md");

function fileOf(suite: string): string {
  return path.join(FOLDER, `${suite}.json`);
}

export function saveResults(suite: string, section: Section): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(fileOf(suite), `${JSON.stringify(section, undefined, 2)}\n`);
}

/** @returns the document with what results/ has of each suite */
export function renderAll(document: string, suites: readonly string[]): string {
  return suites.reduce((text, suite) => replaceSection(text, suite, bodyOf(suite)), document);
}

function bodyOf(suite: string): string {
  const file = fileOf(suite);
  if (!existsSync(file)) return formatMissing(suite);
  return formatSection(JSON.parse(readFileSync(file, "utf8")) as Section);
}

/** @throws {Error} if a suite has no place in docs/performance.md */
export function writeDocument(suites: readonly string[]): void {
  writeFileSync(DOCUMENT, renderAll(readFileSync(DOCUMENT, "utf8"), suites));
}
