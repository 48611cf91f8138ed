/** Starts the thread of an OpenAPI document. Never keeps the process alive. */

import { Worker } from "node:worker_threads";

import type { AskedOfThread, SaidByThread, ThreadData } from "./openapi-protocol.ts";

export type ThreadAnswer = SaidByThread & { type: "answer" };

export interface OpenapiThread {
  /** Absolute paths: the document and those that it refers to. */
  files: readonly string[];
  /** Lines that tell which parts of the document the mock server can't use. */
  complaints: readonly string[];
  /** Rejects with an error in words. */
  ask(request: Omit<AskedOfThread, "id">): Promise<ThreadAnswer>;
  /** It can answer no more. */
  readonly isOver: boolean;
  /** Answers what was asked before. */
  close(): void;
}

/** Resolves when it can answer. Rejects with an error in words. */
export function startThread(data: ThreadData): Promise<OpenapiThread> {
  const worker = new Worker(new URL("openapi-worker.js", import.meta.url), {
    workerData: data,
    // Never read, because that would keep the process alive. The thread prints nothing.
    stdout: true,
    stderr: true,
  });
  const pending = new Map<number, PromiseWithResolvers<ThreadAnswer>>();
  let asked = 0;
  let isClosing = false;
  let isOver = false;
  const endIfIdle = (): void => {
    if (isClosing && pending.size === 0) void worker.terminate();
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      isOver = true;
      reject(error);
      for (const each of pending.values()) each.reject(error);
      pending.clear();
    };
    worker.once("error", (error: unknown) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.once("exit", () => fail(new Error("its thread has ended")));
    worker.on("message", (said: SaidByThread) => {
      switch (said.type) {
        case "ready":
          return resolve({
            files: said.files,
            complaints: said.complaints,
            get isOver() {
              return isOver;
            },
            ask(request) {
              const id = ++asked;
              const answer = Promise.withResolvers<ThreadAnswer>();
              pending.set(id, answer);
              worker.postMessage({ ...request, id } satisfies AskedOfThread, []);
              return answer.promise;
            },
            close() {
              isClosing = true;
              endIfIdle();
            },
          });
        case "failed":
          void worker.terminate();
          return fail(new Error(said.problem));
        case "answer":
        case "failed-answer": {
          const waiting = pending.get(said.id);
          pending.delete(said.id);
          if (said.type === "answer") waiting?.resolve(said);
          else waiting?.reject(new Error(said.problem));
          return endIfIdle();
        }
        default:
          return said satisfies never;
      }
    });
    // After the listener, which would keep the process alive.
    worker.unref();
  });
}
