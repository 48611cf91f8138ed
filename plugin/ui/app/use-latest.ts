/** Reads something from the session, and again when it has changed: one request after the other, however fast it changes. */

import { useEffect, useRef, useState } from "preact/hooks";

/** Milliseconds between two requests for the same thing. */
const REST = 200;

interface Latest<Content> {
  content: Content | undefined;
  problem: string | undefined;
}

/** @param source empty: there is nothing to read. @param version another one: it has changed */
export function useLatest<Content>(
  source: string,
  version: unknown,
  read: (response: Response) => Promise<Content>,
): Latest<Content> {
  const [latest, setLatest] = useState<Latest<Content> & { source: string }>();
  const wanted = useRef({ version, isBusy: false });
  useEffect(() => {
    wanted.current = { version, isBusy: false };
    return () => void (wanted.current = { version: undefined, isBusy: true });
  }, [source]);
  useEffect(() => {
    const now = wanted.current;
    now.version = version;
    if (now.isBusy || source === "") return;
    now.isBusy = true;
    void follow(now, () => wanted.current === now);
  }, [source, version]);

  /** Until what was read is the newest. */
  async function follow(now: typeof wanted.current, isWanted: () => boolean): Promise<void> {
    for (let known: unknown = {}; isWanted() && known !== now.version;) {
      known = now.version;
      const result = await ask();
      if (isWanted()) setLatest({ ...result, source });
      await new Promise((resolve) => {
        setTimeout(resolve, REST);
      });
    }
    now.isBusy = false;
  }

  async function ask(): Promise<Latest<Content>> {
    try {
      return { content: await read(await fetch(source)), problem: undefined };
    } catch (error) {
      return { content: undefined, problem: `The session can't be asked: ${String(error)}` };
    }
  }

  return latest?.source === source ? latest : { content: undefined, problem: undefined };
}
