/**
 * What a command sees of the world it was called in, and where it prints. Tests have one of their own.
 */

import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

export interface Terminal {
  /** Absolute; relative paths on the command line start here. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** What was asked for: to standard output. A line end follows. */
  print: (text: string) => void;
  /** What went wrong, and all that is not the answer: to standard error. A line end follows. */
  printError: (text: string) => void;
  /** For text to `print`; without colours the text comes back as it is. */
  paint: (style: Style, text: string) => string;
  /** Replaces the last line of standard error; an empty text clears it. Absent where that can't be. */
  showProgress?: (text: string) => void;
}

/** Colours on a terminal only, and not under NO_COLOR: https://no-color.org */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  // Where TERM=dumb, as editors set it, nothing can be replaced.
  const hasCursor = stderr.isTTY && process.env["TERM"] !== "dumb";
  return {
    cwd: process.cwd(),
    env: process.env,
    print: (text) => void stdout.write(`${text}\n`),
    printError: (text) => void stderr.write(`${text}\n`),
    paint: (style, text) => styleText(style, text, { stream: stdout }),
    ...(hasCursor && { showProgress: (text: string) => void stderr.write(`\r\u001b[K${text}`) }),
  };
}
