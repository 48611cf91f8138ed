/** What a function of a vitest test takes and returns, as it travels over RPC. `plugin/test/door.ts` has its other end. */

/** What a test's function gets for a request. */
export interface SentRequest {
  request: Request;
  /** The named groups of the call's path. */
  params: Record<string, string>;
  binding: string;
  url: string;
}

/** What a test's function gets for a connection. Its bytes are the bodies of `request` and of the response. */
export interface SentConnection {
  request: Request;
  address: string;
  /** For `TestDoor.failConnection`. */
  exchangeId: string;
}

/** Undefined: the test is over. `thrown`: not thrown over RPC, because each isolate on its way would print it. */
export type TestAnswer = { response: Response } | { upgrade: TestSocket } | { thrown: unknown } | undefined;

/** A WebSocket, which can't travel itself. */
export interface TestSocket {
  headers: string[][];
  /** Call it once: from then on, `peer` gets what the test sends. */
  open(peer: SocketEnd): Promise<void>;
  message(data: string | ArrayBuffer): Promise<void>;
  close(code?: number, reason?: string): Promise<void>;
}

export type SocketEnd = Pick<TestSocket, "message" | "close">;

/** One function of a test, as the test sends it. */
export type TestFunction = Kept<(context: SentRequest | SentConnection) => Promise<TestAnswer>>;

/** Whether a test is still there: answers at once, or never. If the test is gone, the call fails. */
export type TestLife = Kept<(when: "now" | "until the end") => Promise<void>>;

/** The stub of a function. */
type Kept<Given> = Given & { dup(): Kept<Given>; [Symbol.dispose](): void };
