/** What the thread of an OpenAPI document and its stand-in say to each other. */

export interface ThreadData {
  /** Absolute path of the document. */
  file: string;
  /** URL of the mock server's module. */
  packageUrl: string;
}

export interface AskedOfThread {
  id: number;
  method: string;
  /** As the Worker wrote it. */
  url: string;
  headers: [string, string][];
  body: ArrayBuffer | null;
}

export type SaidByThread =
  /**
   * `files`: the document and those that it refers to; if one changes, the thread is out of date. `complaints`: which parts
   * of the document the mock server can't use.
   */
  | { type: "ready"; files: string[]; complaints: string[] }
  | { type: "failed"; problem: string }
  /** `problem`: why the document does not allow the request. */
  | { type: "answer"; id: number; status: number; headers: [string, string][]; body: ArrayBuffer; problem?: string }
  | { type: "failed-answer"; id: number; problem: string };
