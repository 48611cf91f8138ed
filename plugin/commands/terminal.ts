/**
 * A command's environment: the working directory, the variables, and where to print. Tests have their own.
 */

import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

export interface Terminal {
  /** Absolute path; the base of relative paths on the command line. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Prints the answer to standard output, followed by a line end. */
  print: (text: string) => void;
  /** Prints problems, and everything else that isn't the answer, to standard error, followed by a line end. */
  printError: (text: string) => void;
  /** Styles text for `print`. Without colours, returns the text unchanged. */
  paint: (style: Style, text: string) => string;
  /** Replaces the last line of standard error; an empty text clears it. Absent if the terminal can't do that. */
  showProgress?: (text: string) => void;
}

/**
 * Reserves standard output for the answer. Everything else that is printed there goes to standard error, because a
 * vpc.config.* and its imports are programs that can print.
 *
 * @returns a function that writes the answer
 */
export function claimStdout(): (text: string, onWritten?: () => void) => void {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  return (text, onWritten) => void write(text, () => onWritten?.());
}

/** Uses colours only on a terminal, and not with NO_COLOR: https://no-color.org */
export function processTerminal(write: (text: string) => void): Terminal {
  const { stdout, stderr } = process;
  // With TERM=dumb, which editors set, no line can be replaced.
  const hasCursor = stderr.isTTY && process.env["TERM"] !== "dumb";
  return {
    cwd: process.cwd(),
    env: process.env,
    print: (text) => write(`${text}\n`),
    printError: (text) => void stderr.write(`${text}\n`),
    paint: (style, text) => styleText(style, text, { stream: stdout }),
    ...(hasCursor && { showProgress: (text: string) => void stderr.write(`\r\u001b[K${text}`) }),
  };
}
