/**
 * Checks an address by its text alone. The facade uses it, because it runs in the user's Worker, where `URL` works
 * differently with each compatibility date. address.ts makes the other checks.
 */

export interface Problem {
  /** What is wrong, as the end of a sentence, such as "has no port". */
  problem: string;
}

export function isProblem(result: object): result is Problem {
  return "problem" in result;
}

const MAX_PORT = 65535;

/** These characters end the host in a URL, or a URL parser drops them. */
// oxlint-disable-next-line no-control-regex
const NOT_IN_A_HOST = /[\u0000-\u0020\u007f/?#@\\%<>^|]/;

/** Checks the characters only. @returns why this can't be a host */
export function findProblem(host: string): Problem | undefined {
  const forbidden = NOT_IN_A_HOST.exec(host);
  if (host === "") return { problem: "is empty" };
  if (forbidden !== null) return { problem: `contains the character ${JSON.stringify(forbidden[0])}` };
  return undefined;
}

/** @param address `host:port` or `[v6]:port`; the host may still be invalid */
export function splitEndpoint(address: string): { host: string; port: number } | Problem {
  const colon = address.lastIndexOf(":");
  if (colon === -1 || address.endsWith("]")) return { problem: "has no port" };
  const host = address.slice(0, colon);
  if (host.includes(":") && !host.startsWith("[")) {
    return { problem: "is an IPv6 address without brackets; write [address]:port" };
  }
  const port = parsePort(address.slice(colon + 1));
  if (typeof port === "object") return port;
  const problem = findProblem(host);
  return problem === undefined ? { host, port } : { problem: `has a host that ${problem.problem}` };
}

/** Returns `host:port`, with IPv6 in brackets: the form that `splitEndpoint` reads. */
export function formatEndpoint(host: string, port: number): string {
  return `${bracketHost(host)}:${port}`;
}

/** Puts an IPv6 address in brackets, for a URL or `host:port`. Returns any other host unchanged. */
export function bracketHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** @returns 1 to 65535, or why it isn't a port */
export function parsePort(value: string | number): number | Problem {
  const isNumeral = typeof value === "number" ? Number.isInteger(value) : /^\d{1,10}$/.test(value);
  if (!isNumeral)
    return { problem: value === "" ? "has no port" : `has the port ${JSON.stringify(value)}, which is not a number` };
  const port = Number(value);
  if (port < 1 || port > MAX_PORT) return { problem: `has the port ${port}, which is not between 1 and ${MAX_PORT}` };
  return port;
}
