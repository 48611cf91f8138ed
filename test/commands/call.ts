/** Calls the command line in this process, in its own folder, and captures the output. */

import { commands } from "../../plugin/commands/commands.ts";
import { runCommandLine } from "../../plugin/commands/dispatch.ts";
import type { Style, Terminal } from "../../plugin/commands/terminal.ts";
import { type VpcFolder, createFolder, hideFolder } from "../setup/vpc-folder.ts";

export interface Called {
  exit: number | string;
  /** One item per line. `FOLDER` replaces the path of the folder. */
  out: string[];
  err: string[];
}

export interface CallFolder extends VpcFolder {
  /** @param line the arguments, separated by single spaces; an empty one is written "" */
  call(line: string, options?: CallOptions): Promise<Called>;
}

export interface CallOptions {
  env?: NodeJS.ProcessEnv;
  /** Shows styles as `<red>…</red>`. */
  isColourful?: boolean;
  onProgress?: (text: string) => void;
}

/** @param files name to content */
export async function createCallFolder(files: Record<string, string>): Promise<CallFolder> {
  const vpc = await createFolder(files);
  return Object.assign(vpc, {
    async call(line: string, { env = {}, isColourful = false, onProgress }: CallOptions = {}): Promise<Called> {
      const printed = { out: "", err: "" };
      const terminal: Terminal = {
        cwd: vpc.folder,
        env,
        print: (text) => void (printed.out += `${text}\n`),
        printError: (text) => void (printed.err += `${text}\n`),
        paint: (style: Style, text) => (isColourful ? `<${style}>${text}</${style}>` : text),
        ...(onProgress && { showProgress: onProgress }),
      };
      const argv = line.split(" ").filter((word) => word !== "");
      const words = argv.map((word) => (word === '""' ? "" : word));
      const exit = await runCommandLine(words, { commands, version: "1.2.3" }, terminal);
      return { exit, out: toLines(printed.out, vpc.folder), err: toLines(printed.err, vpc.folder) };
    },
  });
}

function toLines(text: string, folder: string): string[] {
  return text === "" ? [] : hideFolder(text, folder).replace(/\n$/, "").split("\n");
}
