/** Parses the path of a `unix:` target. Does not check whether anything listens there. */

import path from "node:path";

import type { Problem } from "../../service-worker/routing/address.ts";
import type { Target } from "../../service-worker/routing/table.ts";

/** What Node can connect to on Windows. */
const NAMED_PIPE = /^\\\\[.?]\\pipe\\./i;

/**
 * @param text what follows `unix:`
 * @param folder the base of a relative path
 */
export function parseSocket(
  text: string,
  folder: string,
): Extract<Target, { type: "unix" }> | (Problem & { note: string }) {
  if (text === "") return { problem: "has no socket path", note: 'Write "unix:" followed by the path of a socket.' };
  if (process.platform !== "win32") return { type: "unix", path: path.resolve(folder, text) };
  const pipe = text.replaceAll("/", "\\");
  if (NAMED_PIPE.test(pipe)) return { type: "unix", path: pipe };
  return {
    problem: "is a Unix socket, but on Windows only named pipes can be reached",
    note: 'Let the service listen on a port and write "localhost:3000", or on a named pipe and write "unix://./pipe/NAME".',
  };
}
