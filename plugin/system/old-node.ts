/** Reports a Node.js that is too old for this package. npm only warns about one. */

/**
 * @param version of Node.js, such as `22.12.0`
 * @param required the range in package.json, such as `>=22.12.0`
 */
export function describeOldNode(version: string, required: string): string | undefined {
  const minimum = required.replace(">=", "");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [minMajor = 0, minMinor = 0] = minimum.split(".").map(Number);
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return undefined;
  return `miniflare-vpc: Node.js ${version} is too old. Install Node.js ${minimum} or newer.`;
}
