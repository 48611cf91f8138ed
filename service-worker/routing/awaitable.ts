/** What a socket in a Worker and one in Node share: `await env.B.connect(…)` and `await socket.opened` both work. */

/**
 * Makes an object awaitable once: a permanent thenable would never resolve.
 *
 * @returns the same object. Awaiting it waits for `opened`, and rejects as that does
 */
export function makeAwaitable<T extends object>(value: T, opened: Promise<unknown>): T {
  // oxlint-disable-next-line unicorn/no-thenable
  return Object.defineProperty(value, "then", {
    value: function then<Y, N>(resolve: (value: T) => Y, reject: (error: unknown) => N): Promise<Y | N> {
      return opened
        .then(() => {
          Reflect.deleteProperty(value, "then");
          return { value };
        })
        .then((settled) => resolve(settled.value), reject);
    },
    configurable: true,
  });
}

/** A caller may watch one of these promises and not the others. The others must not be unhandled rejections. */
export function ignoreUnhandled(...promises: Promise<unknown>[]): void {
  for (const promise of promises) promise.catch(() => undefined);
}
