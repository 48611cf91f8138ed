/** Changes `process.platform`. The file system and the network stay as they are. */

export function pretend(platform: NodeJS.Platform): Disposable {
  const real = process.platform;
  setPlatform(platform);
  return { [Symbol.dispose]: () => setPlatform(real) };
}

function setPlatform(value: NodeJS.Platform): void {
  Object.defineProperty(process, "platform", { value });
}
