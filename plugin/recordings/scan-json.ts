/**
 * Reads a JSON text piece by piece (RFC 8259), says where its values are, and keeps only those that are asked for. A text of
 * any size takes the memory of one piece and of what is kept. Made for speed: nothing is allocated for what is skipped.
 */

export interface JsonVisitor {
  /**
   * A value begins. `enter`: it is asked about each member; `keep`: gets the bytes at its end. The path is only valid during
   * the call.
   */
  begin(path: JsonPath, kind: JsonKind): "enter" | "keep" | "skip";
  /** A value for which `begin` was called is over. */
  end(path: JsonPath, value: ScannedValue): void;
}

export type JsonPath = readonly (string | number)[];

export type JsonKind = "object" | "array" | "string" | "scalar";

export interface ScannedValue {
  kind: JsonKind;
  /** Offsets of its first byte, and of the byte behind it. */
  start: number;
  end: number;
  /** Only if it was kept, and only valid during the call. */
  bytes?: Buffer;
}

/** Why a text isn't JSON, in words. */
export class JsonProblem extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const LETTER_U = 0x75;
const LETTER_Z = 0x7a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;
const BYTE_ORDER_MARK = 0xef;

/** Behind a backslash. `u` and four hexadecimal digits may also follow. */
const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));
const HEXADECIMAL = new Set(Buffer.from("0123456789abcdefABCDEF"));
const SCALAR = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)$/;

/** What may come next, in words. */
type Expected =
  | "a value"
  | 'a value or "]"'
  | "a name in quotes"
  | 'a name in quotes or "}"'
  | '":"'
  | '","'
  | "the end";

interface Container {
  isObject: boolean;
  start: number;
  /** What the visitor said; undefined: it was not asked. */
  choice: "enter" | "keep" | "skip" | undefined;
}

/** Its methods throw a `JsonProblem`. */
export class JsonScanner {
  readonly #visitor: JsonVisitor;
  readonly #path: (string | number)[] = [];
  readonly #stack: Container[] = [];
  #isEntered = true;
  #expected: Expected = "a value";
  /** The token that has begun and isn't over. */
  #token: "name" | "string" | "scalar" | undefined;
  #tokenStart = 0;
  #isTokenAsked = false;
  #isTokenHeld = false;
  #isTokenKept = false;
  /** What must come in an escape: 5 is the byte behind the backslash, 4 to 1 are digits. */
  #escape = 0;
  #piece: Buffer = Buffer.alloc(0);
  /** The offset of the present piece. */
  #base: number;
  /** The offset from which bytes are held for a value that is kept. */
  #heldFrom: number | undefined;
  /** Those of earlier pieces. */
  #held: Buffer[] = [];

  /** @param start the offset of the first byte that will be written */
  constructor(visitor: JsonVisitor, start = 0) {
    this.#visitor = visitor;
    this.#base = start;
  }

  /** @param piece must not change afterwards */
  write(piece: Buffer): void {
    this.#piece = piece;
    // A byte order mark may precede the text.
    let index = this.#base === 0 && piece[0] === BYTE_ORDER_MARK ? 3 : 0;
    while (index < piece.length) index = this.#token === undefined ? this.#step(index) : this.#resume(index);
    if (this.#heldFrom !== undefined) this.#held.push(piece.subarray(Math.max(0, this.#heldFrom - this.#base)));
    this.#base += piece.length;
  }

  /** No more pieces come. */
  end(): void {
    this.#piece = Buffer.alloc(0);
    if (this.#token === "scalar") this.#endToken(0);
    if (this.#token !== undefined) throw new JsonProblem("it ends inside of a text", this.#base);
    if (this.#expected !== "the end") throw new JsonProblem(`it ends where ${this.#expected} should be`, this.#base);
  }

  /** Between two tokens. @returns the index of the next byte */
  #step(index: number): number {
    const byte = this.#piece[index] ?? 0;
    switch (byte) {
      case SPACE:
      case 0x09:
      case 0x0a:
      case 0x0d:
        return index + 1;
      case QUOTE:
        if (this.#expected === "a name in quotes" || this.#expected === 'a name in quotes or "}"') {
          this.#beginToken("name", index);
        } else {
          this.#expectValue(index);
          this.#beginToken("string", index);
        }
        return this.#resume(index + 1);
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        this.#expectValue(index);
        this.#open(byte === OPEN_OBJECT, index);
        return index + 1;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        this.#close(byte === CLOSE_OBJECT, index);
        return index + 1;
      case COLON:
        if (this.#expected !== '":"') this.#refuse(index);
        this.#expected = "a value";
        return index + 1;
      case COMMA:
        this.#comma(index);
        return index + 1;
      default:
        this.#expectValue(index);
        if (!isScalarByte(byte)) this.#refuse(index);
        this.#beginToken("scalar", index);
        return this.#resume(index);
    }
  }

  #expectValue(index: number): void {
    if (this.#expected !== "a value" && this.#expected !== 'a value or "]"') this.#refuse(index);
  }

  #refuse(index: number): never {
    const [character = ""] = this.#piece.subarray(index, index + 4).toString();
    throw new JsonProblem(`${JSON.stringify(character)} stands where ${this.#expected} should be`, this.#base + index);
  }

  #open(isObject: boolean, index: number): void {
    const choice = this.#isEntered ? this.#visitor.begin(this.#path, isObject ? "object" : "array") : undefined;
    const start = this.#base + index;
    if (choice === "keep") this.#heldFrom = start;
    this.#stack.push({ isObject, start, choice });
    this.#isEntered = choice === "enter";
    if (this.#isEntered && !isObject) this.#path.push(0);
    this.#expected = isObject ? 'a name in quotes or "}"' : 'a value or "]"';
  }

  #close(isObject: boolean, index: number): void {
    const container = this.#stack.at(-1);
    const canClose =
      this.#expected === '","' || this.#expected === (isObject ? 'a name in quotes or "}"' : 'a value or "]"');
    if (container?.isObject !== isObject || !canClose) this.#refuse(index);
    this.#stack.pop();
    const { start, choice } = container;
    if (choice === "enter" && !isObject) this.#path.pop();
    if (choice !== undefined) this.#tell(isObject ? "object" : "array", { start, end: index + 1, choice });
    if (choice === "keep") this.#release();
    this.#isEntered = choice !== undefined;
    this.#endValue();
  }

  /** @param value `end`: an index of the piece */
  #tell(
    kind: JsonKind,
    { start, end, choice }: { start: number; end: number; choice: "enter" | "keep" | "skip" },
  ): void {
    const value: ScannedValue = { kind, start, end: this.#base + end };
    if (choice === "keep") value.bytes = this.#take(start, end);
    this.#visitor.end(this.#path, value);
  }

  #comma(index: number): void {
    const container = this.#stack.at(-1);
    if (this.#expected !== '","' || container === undefined) this.#refuse(index);
    this.#expected = container.isObject ? "a name in quotes" : "a value";
    if (this.#isEntered && !container.isObject) this.#path.push((this.#path.pop() as number) + 1);
  }

  #endValue(): void {
    const container = this.#stack.at(-1);
    this.#expected = container === undefined ? "the end" : '","';
    if (this.#isEntered && container?.isObject === true) this.#path.pop();
  }

  #beginToken(token: "name" | "string" | "scalar", index: number): void {
    this.#token = token;
    this.#tokenStart = this.#base + index;
    this.#isTokenAsked = this.#isEntered && token !== "name";
    const isKept =
      this.#isTokenAsked && this.#visitor.begin(this.#path, token === "name" ? "string" : token) === "keep";
    // A scalar is held to be checked, and a name for the path.
    this.#isTokenHeld =
      this.#heldFrom === undefined && (isKept || token === "scalar" || (token === "name" && this.#isEntered));
    this.#isTokenKept = isKept;
    if (this.#isTokenHeld) this.#heldFrom = this.#tokenStart;
  }

  /** Inside of a token. @returns the index of the first byte that doesn't belong to it, or the end of the piece */
  #resume(index: number): number {
    const end = this.#token === "scalar" ? this.#endOfScalar(index) : this.#endOfString(index);
    if (end === -1) return this.#piece.length;
    this.#endToken(end);
    return end;
  }

  /** @returns the index behind the closing quote; -1: it isn't in this piece */
  #endOfString(from: number): number {
    const piece = this.#piece;
    const { length } = piece;
    let index = from;
    for (;;) {
      while (this.#escape > 0) {
        if (index >= length) return -1;
        this.#stepEscape(index++);
      }
      let byte = SPACE;
      while (index < length) {
        byte = piece[index] ?? 0;
        if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) break;
        index++;
      }
      if (index >= length) return -1;
      if (byte === QUOTE) return index + 1;
      if (byte !== BACKSLASH)
        throw new JsonProblem("a text has a line break or another control character in it", this.#base + index);
      this.#escape = BEHIND_BACKSLASH;
      index++;
    }
  }

  #stepEscape(index: number): void {
    const byte = this.#piece[index] ?? 0;
    const isFirst = this.#escape === BEHIND_BACKSLASH;
    const isRight = isFirst ? byte === LETTER_U || ESCAPED.has(byte) : HEXADECIMAL.has(byte);
    if (!isRight) throw new JsonProblem("a text has an unknown escape in it", this.#base + index);
    this.#escape = isFirst && byte !== LETTER_U ? 0 : this.#escape - 1;
  }

  #endOfScalar(from: number): number {
    let index = from;
    while (index < this.#piece.length) {
      if (!isScalarByte(this.#piece[index] ?? 0)) return index;
      index++;
    }
    return -1;
  }

  /** @param end the index behind it */
  #endToken(end: number): void {
    const token = this.#token;
    this.#token = undefined;
    if (token === "scalar" || (token === "name" && this.#isTokenHeld)) this.#readToken(token, end);
    if (token === "name") {
      this.#expected = '":"';
    } else {
      if (this.#isTokenAsked) {
        const choice = this.#isTokenKept ? "keep" : "skip";
        this.#tell(token === "scalar" ? "scalar" : "string", { start: this.#tokenStart, end, choice });
      }
      this.#endValue();
    }
    if (this.#isTokenHeld) this.#release();
  }

  /** Checks a scalar, and adds a name to the path. */
  #readToken(token: "name" | "scalar", end: number): void {
    const start = this.#tokenStart - this.#base;
    // In most cases it lies in this piece, and a copy of it isn't needed.
    const isHere = start >= 0;
    if (token === "scalar") {
      if (isHere && isInteger(this.#piece, start, end)) return;
      const text = isHere ? this.#piece.toString("latin1", start, end) : this.#tokenBytes(end).toString("latin1");
      if (!SCALAR.test(text)) throw new JsonProblem(`${JSON.stringify(text)} is not a JSON value`, this.#tokenStart);
      return;
    }
    const text = isHere ? this.#piece.toString("utf8", start, end) : this.#tokenBytes(end).toString();
    this.#path.push(text.includes("\\") ? String(JSON.parse(text)) : text.slice(1, -1));
  }

  /** They may be held as a part of a container. */
  #tokenBytes(end: number): Buffer {
    const from = this.#heldFrom ?? this.#tokenStart;
    return this.#take(from, end).subarray(this.#tokenStart - from);
  }

  /** @param end an index of the piece */
  #take(start: number, end: number): Buffer {
    const here = this.#piece.subarray(Math.max(0, start - this.#base), end);
    return this.#held.length === 0 ? here : Buffer.concat([...this.#held, here]);
  }

  #release(): void {
    this.#heldFrom = undefined;
    if (this.#held.length > 0) this.#held = [];
  }
}

const BEHIND_BACKSLASH = 5;

function isScalarByte(byte: number): boolean {
  return (
    byte >= PLUS &&
    byte <= LETTER_Z &&
    byte !== COMMA &&
    byte !== COLON &&
    byte !== OPEN_ARRAY &&
    byte !== BACKSLASH &&
    byte !== CLOSE_ARRAY
  );
}

/** Whether it is one without a sign and a leading zero, which most scalars are. */
function isInteger(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] === ZERO) return end === start + 1;
  for (let index = start; index < end; index++) {
    const byte = bytes[index] ?? 0;
    if (byte < ZERO || byte > NINE) return false;
  }
  return true;
}
