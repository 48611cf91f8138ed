/** The package exports every type that its signatures and their `@throws` name. Reads the built declarations. */

import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { REPOSITORY } from "./wrangler/temporary-project.ts";

const TYPES = path.join(REPOSITORY, "dist/types");
const entries = Object.entries(manifest.exports).flatMap(([entry, target]) =>
  typeof target === "object" ? [{ entry, file: path.join(REPOSITORY, target.types) }] : [],
);
const program = ts.createProgram(
  entries.map(({ file }) => file),
  { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ESNext, strict: true, types: ["node"], noEmit: true },
);
const checker = program.getTypeChecker();

/** The symbols that an entry exports, as the files declare them. */
function exportsOf(file: string): ts.Symbol[] {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!);
  return checker.getExportsOfModule(module!).map(original);
}

function original(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The types of this package that the declarations of a symbol name. */
function namedBy(symbol: ts.Symbol): ts.Symbol[] {
  const named: ts.Symbol[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isTypeReferenceNode(node)) add(checker.getSymbolAtLocation(node.typeName));
    if (ts.isExpressionWithTypeArguments(node)) add(checker.getSymbolAtLocation(node.expression));
    node.forEachChild(visit);
  };
  const add = (found: ts.Symbol | undefined): void => {
    if (found === undefined || found.flags & ts.SymbolFlags.TypeParameter) return;
    const declared = original(found);
    if (declared.declarations?.some((node) => node.getSourceFile().fileName.startsWith(TYPES))) named.push(declared);
  };
  for (const node of symbol.declarations ?? []) visit(node);
  return named;
}

/** All that a user of the symbols may have to write down. */
function reachableFrom(symbols: readonly ts.Symbol[]): ts.Symbol[] {
  const reached = new Set(symbols);
  for (const symbol of reached) for (const named of namedBy(symbol)) reached.add(named);
  return [...reached];
}

function thrownBy(symbol: ts.Symbol): string[] {
  const texts = symbol.declarations?.map((node) => node.getFullText()) ?? [];
  return texts.flatMap((text) => [...text.matchAll(/@throws \{(\w+)\}/g)].map(([, name = ""]) => name));
}

/** `Error` and its like are the platform's. */
const isOwn = (name: string): boolean => !(name in globalThis);
const namesOf = (symbols: readonly ts.Symbol[]): string[] => symbols.map(({ name }) => name);

const everything = exportsOf(entries.find(({ entry }) => entry === ".")!.file);

test.each(entries)("$entry exports what its own signatures name", ({ file }) => {
  const exported = exportsOf(file);
  const named = exported.filter(({ flags }) => flags & ts.SymbolFlags.Value).flatMap(namedBy);
  const thrown = exported.flatMap(thrownBy).filter(isOwn);
  expect(new Set(namesOf(exported))).toEqual(new Set([...namesOf([...exported, ...named]), ...thrown]));
});

test.each(entries)("miniflare-vpc exports all types behind those of $entry", ({ file }) => {
  const exported = exportsOf(file);
  const missing = reachableFrom(exported).filter((symbol) => ![...exported, ...everything].includes(symbol));
  expect(namesOf(missing)).toEqual([]);
});

test("that is a whole config, and its errors", () => {
  expect(namesOf(everything)).toEqual(
    expect.arrayContaining(["VpcConfig", "VpcTarget", "VpcFunction", "ProxyErrorCode", "ConfigError", "Diagnostic"]),
  );
});
