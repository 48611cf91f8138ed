/** The keys of the page. In a field, only Escape is one of them. */

import { useLayoutEffect } from "preact/hooks";

interface Keys {
  /** Whether the list is there; otherwise its keys scroll. */
  hasList: boolean;
  /** By so many calls. */
  move(step: number): void;
  open(): void;
  search(): void;
  leave(): void;
}

const STEPS: Record<string, number> = {
  j: 1,
  ArrowDown: 1,
  k: -1,
  ArrowUp: -1,
  PageDown: 10,
  PageUp: -10,
  Home: -Infinity,
  End: Infinity,
};

export function useKeyboard(keys: Keys): void {
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") return keys.leave();
      if (isInField(event.target) || !act(event)) return;
      event.preventDefault();
    };
    /** @returns whether it is one of the page's */
    const act = ({ key, target }: KeyboardEvent): boolean => {
      const step = STEPS[key];
      // In the detail these keys scroll.
      const isLetter = key.length === 1;
      if (keys.hasList && step !== undefined && (isLetter || !isInDetail(target))) {
        keys.move(step);
        return true;
      }
      if (keys.hasList && key === "Enter" && !isControl(target)) {
        keys.open();
        return true;
      }
      if (key !== "/") return false;
      keys.search();
      return true;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
}

function isInField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, select, textarea") !== null;
}

function isInDetail(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest(".detail") !== null;
}

/** Enter is its own. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a, summary") !== null;
}
