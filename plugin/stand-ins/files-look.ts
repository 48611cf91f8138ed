/** Whether a document, or one of the files that it refers to, has changed since it was last read. */

import { statSync } from "node:fs";

/** Milliseconds between two looks at all files. A document may refer to thousands. */
const LOOK_EVERY = 200;

export class FilesLook {
  readonly #root: string;
  #files: readonly string[] = [];
  #rootState: string | undefined;
  #states = "";
  #lookedAt = 0;

  /** @param root the document itself, which is looked at each time */
  constructor(root: string) {
    this.#root = root;
  }

  /** The files are going to be read. */
  remember(): void {
    this.#rootState = stateOfFile(this.#root);
    this.#states = this.#look();
  }

  /** These are all files that were read. */
  follow(files: readonly string[]): void {
    this.#files = files;
    this.#states = this.#look();
  }

  isOutdated(): boolean {
    if (this.#rootState !== stateOfFile(this.#root)) return true;
    return Date.now() - this.#lookedAt >= LOOK_EVERY && this.#look() !== this.#states;
  }

  #look(): string {
    this.#lookedAt = Date.now();
    return this.#files.map(stateOfFile).join("\n");
  }
}

/** Cheaper than `stateOf`, because each request asks for it. */
function stateOfFile(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? "missing" : `${stats.ino} ${stats.size} ${stats.mtimeNs}`;
}
