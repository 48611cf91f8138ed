/** Draws a component anew when the calls change. */

import { useEffect, useReducer } from "preact/hooks";

import type { CallStore } from "./call-store.ts";

export function useStore(store: CallStore): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => store.onChange(() => redraw(undefined)), [store]);
}
