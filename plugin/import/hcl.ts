/**
 * Parses the part of HCL that is needed to read literals from Terraform files: blocks, attributes, strings, numbers,
 * lists and objects. Keeps any other expression as text.
 * https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
 */

import { type Position, positionsOf } from "../read/locate.ts";
import { DEEP, MAX_NESTING, findDeepBracket } from "../read/nesting.ts";

export type HclValue =
  | { type: "literal"; value: string | number | boolean | null; at: Position }
  | { type: "list"; items: HclValue[]; at: Position }
  | { type: "object"; entries: Map<string, HclValue>; at: Position }
  /** A reference, a call, an operation or a string that contains `${}`, as written. */
  | { type: "expression"; text: string; at: Position };

export interface HclBlock {
  /** Such as `resource` in `resource "a" "b" { }`. The labels are `a` and `b`. */
  type: string;
  labels: string[];
  body: HclBody;
  at: Position;
}

export interface HclBody {
  attributes: Map<string, HclValue>;
  blocks: HclBlock[];
}

export class HclError extends Error {
  readonly at: Position;

  constructor(message: string, at: Position) {
    super(message);
    this.at = at;
  }
}

interface Token {
  type: "word" | "string" | "number" | "heredoc" | "newline" | "sign" | "end";
  text: string;
  offset: number;
  end: number;
}

const BLANK = /(?:[^\S\n]+|#.*|\/\/.*|\/\*[^]*?\*\/)*/y;
const WORD = /[\p{L}_][\p{L}\p{N}_-]*/uy;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const HEREDOC = /<<(-?)([\p{L}_][\p{L}\p{N}_-]*)\r?\n/uy;

/** @throws {HclError} */
export function parseHcl(text: string): HclBody {
  const positionAt = positionsOf(text);
  const tokens = tokenize(text, positionAt);
  const deep = findDeepBracket(tokens.filter(({ type }) => type === "sign"));
  if (deep !== undefined) throw new HclError(DEEP, positionAt(deep));
  let index = 0;
  const peek = (): Token => tokens[index] ?? { type: "end", text: "", offset: text.length, end: text.length };
  const next = (): Token => {
    const token = peek();
    index++;
    return token;
  };
  const isSign = (sign: string): boolean => peek().type === "sign" && peek().text === sign;
  const skipLines = (): void => {
    while (peek().type === "newline") index++;
  };
  const fail = (expected: string): never => {
    const { type, text: found, offset } = peek();
    const what =
      type === "end" ? "the end of the file" : type === "newline" ? "the end of the line" : JSON.stringify(found);
    throw new HclError(`expected ${expected}, but found ${what}`, positionAt(offset));
  };

  function body(isNested: boolean): HclBody {
    const parsed: HclBody = { attributes: new Map(), blocks: [] };
    for (skipLines(); ; skipLines()) {
      if (isNested ? isSign("}") : peek().type === "end") {
        index++;
        return parsed;
      }
      const name = peek();
      if (name.type !== "word") return fail("a name");
      index++;
      if (isSign("=")) {
        index++;
        parsed.attributes.set(name.text, value());
        continue;
      }
      const labels: string[] = [];
      for (; peek().type === "string" || peek().type === "word"; index++) {
        labels.push(peek().type === "string" ? unquote(peek().text) : peek().text);
      }
      if (!isSign("{")) fail(`"=" or "{"`);
      index++;
      parsed.blocks.push({ type: name.text, labels, body: body(true), at: positionAt(name.offset) });
    }
  }

  function value(): HclValue {
    const first = peek();
    const at = positionAt(first.offset);
    const start = index;
    const parsed = primary(at);
    if (parsed !== undefined && isOver()) return parsed;
    index = start;
    return { type: "expression", text: text.slice(first.offset, skipExpression()), at };
  }

  /** Whether the expression ends here. */
  function isOver(): boolean {
    const { type } = peek();
    return type === "newline" || type === "end" || [",", "]", "}", ")"].some(isSign);
  }

  function primary(at: Position): HclValue | undefined {
    const isNegative = isSign("-");
    if (isNegative) index++;
    const token = next();
    if (token.type === "number") return { type: "literal", value: (isNegative ? -1 : 1) * Number(token.text), at };
    if (isNegative) return undefined;
    if (token.type === "heredoc") return template(token.text, { at, source: token.text });
    if (token.type === "string") return template(unquote(token.text), { at, source: token.text });
    if (token.type === "word") {
      const known = new Map([
        ["true", true],
        ["false", false],
        ["null", null],
      ]).get(token.text);
      return known === undefined ? undefined : { type: "literal", value: known, at };
    }
    if (token.type !== "sign") {
      index--;
      return fail("a value");
    }
    if (token.text === "[") return list(at);
    return token.text === "{" ? object(at) : undefined;
  }

  function list(at: Position): HclValue | undefined {
    const items: HclValue[] = [];
    for (skipLines(); !isSign("]"); skipLines()) {
      // [for x in y : …]
      if (peek().type === "word" && peek().text === "for") return undefined;
      items.push(value());
      skipLines();
      if (isSign(",")) index++;
      else if (!isSign("]")) fail('"," or "]"');
    }
    index++;
    return { type: "list", items, at };
  }

  function object(at: Position): HclValue | undefined {
    const entries = new Map<string, HclValue>();
    for (skipLines(); !isSign("}"); skipLines()) {
      if (peek().type === "word" && peek().text === "for") return undefined;
      const name = key();
      if (!isSign("=") && !isSign(":")) fail('"="');
      index++;
      entries.set(name, value());
      if (isSign(",")) index++;
      else if (peek().type !== "newline" && !isSign("}")) fail('"}"');
    }
    index++;
    return { type: "object", entries, at };
  }

  /** A computed key, such as `(var.x)`, is returned as written. */
  function key(): string {
    const { type, text: written, offset } = peek();
    if (isSign("(")) {
      index++;
      skipExpression();
      const { end } = peek();
      if (!isSign(")")) fail('")"');
      index++;
      return text.slice(offset, end);
    }
    if (type !== "word" && type !== "string" && type !== "number") fail("a key");
    index++;
    return type === "string" ? unquote(written) : written;
  }

  /** @returns the offset of its end */
  function skipExpression(): number {
    let depth = 0;
    let end = peek().offset;
    for (; peek().type !== "end"; index++) {
      const { type, text: sign } = peek();
      if (depth === 0 && isOver()) break;
      if (type === "sign" && "([{".includes(sign)) depth++;
      if (type === "sign" && ")]}".includes(sign)) depth--;
      end = peek().end;
    }
    return end;
  }

  return body(false);
}

function template(text: string, { at, source }: { at: Position; source: string }): HclValue {
  // `$${` and `%%{` are escapes for a literal `${` and `%{`.
  return /(?<!\$)\$\{|(?<!%)%\{/.test(source)
    ? { type: "expression", text: source, at }
    : { type: "literal", value: text.replaceAll("$${", "${").replaceAll("%%{", "%{"), at };
}

const ESCAPES: Record<string, string> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

export function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replaceAll(/\\(?:u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.))/g, (_, short?: string, long?: string, letter?: string) => {
      const code = short ?? long;
      return code === undefined
        ? (ESCAPES[letter ?? ""] ?? letter ?? "")
        : String.fromCodePoint(Number.parseInt(code, 16));
    });
}

function tokenize(text: string, positionAt: (offset: number) => Position): Token[] {
  const tokens: Token[] = [];
  let offset = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = offset;
    return pattern.exec(text);
  };
  for (;;) {
    offset += match(BLANK)?.[0].length ?? 0;
    const character = text[offset];
    if (character === undefined) return tokens;
    const start = offset;
    const push = (type: Token["type"], end: number, content: string = text.slice(start, end)): void => {
      tokens.push({ type, text: content, offset: start, end });
      offset = end;
    };
    const heredoc = match(HEREDOC);
    const word = match(WORD);
    const number = match(NUMBER);
    if (character === "\n") push("newline", offset + 1);
    else if (character === '"') push("string", endOfString(text, offset, { positionAt, level: 0 }));
    else if (heredoc !== null) {
      const [head, dash, delimiter = ""] = heredoc;
      const bodyAt = offset + head.length;
      const close = new RegExp(`^[^\\S\\n]*${delimiter}[^\\S\\n]*$`, "m").exec(text.slice(bodyAt));
      if (close === null) throw new HclError(`the heredoc <<${delimiter} has no end`, positionAt(offset));
      const content = text.slice(bodyAt, bodyAt + close.index);
      push(
        "heredoc",
        bodyAt + close.index + close[0].length,
        dash === "-" ? content.replaceAll(/^[^\S\n]+/gm, "") : content,
      );
    } else if (word !== null) push("word", offset + word[0].length);
    else if (number !== null) push("number", offset + number[0].length);
    else push("sign", offset + 1);
  }
}

/** @param start of the opening quote. A `${}` inside the string may contain quotes. */
function endOfString(
  text: string,
  start: number,
  { positionAt, level }: { positionAt: (offset: number) => Position; level: number },
): number {
  if (level > MAX_NESTING) throw new HclError(DEEP, positionAt(start));
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index];
    if (character === "\\") index++;
    else if (character === '"') return index + 1;
    else if (character === "\n") break;
    else if ((character === "$" || character === "%") && text[index + 1] === "{" && text[index - 1] !== character) {
      let depth = 0;
      for (index++; index < text.length; index++) {
        if (text[index] === '"') index = endOfString(text, index, { positionAt, level: level + 1 }) - 1;
        else if (text[index] === "{") depth++;
        else if (text[index] === "}" && --depth === 0) break;
      }
    }
  }
  throw new HclError("the string has no closing quote", positionAt(start));
}
