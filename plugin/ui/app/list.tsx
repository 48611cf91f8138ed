/** The list of calls: a grid of which only the rows in view exist. Newest last; it follows them while its end is in view. */

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { TrafficRow } from "../traffic-view.ts";
import { CallCells, COLUMNS, isFailed } from "./row.tsx";
import { useRowWindow } from "./use-window.ts";

/** Pixels, as in the style sheet. */
const HEAD = 30;
const ONE_LINE = 28;
const TWO_LINES = 46;
/** Pixels; below it, a row has two lines. */
const NARROW = 900;

interface CallListProps {
  rows: readonly TrafficRow[];
  /** The id of the call that the keyboard is at. */
  current: number | undefined;
  onOpen: (id: number) => void;
}

export function CallList({ rows, current, onOpen }: CallListProps): VNode {
  const scroller = useRef<HTMLDivElement>(null);
  const isNarrow = useIsNarrow(scroller);
  const rowHeight = isNarrow ? TWO_LINES : ONE_LINE;
  const head = isNarrow ? 0 : HEAD;
  const { items, height, scrollTo } = useRowWindow(scroller, { count: rows.length, rowHeight });
  const { isAtEnd, goToEnd } = useEnd(scroller, `${rows.at(-1)?.id} ${rows.length} ${rowHeight}`);
  useEffect(() => {
    const index = rows.findIndex(({ id }) => id === current);
    if (index !== -1) scrollTo(index);
    // Only when another call is chosen: new calls must not move the list.
  }, [current]);
  const isCurrentInView = items.some(({ index }) => rows[index]?.id === current);
  return (
    <div class="list">
      <div
        class={isNarrow ? "grid narrow" : "grid"}
        ref={scroller}
        role="grid"
        aria-label="Calls"
        aria-rowcount={rows.length + 1}
        aria-readonly="true"
        tabIndex={0}
        {...(isCurrentInView && { "aria-activedescendant": `call-${current}` })}
      >
        <div role="rowgroup" class="head">
          <div role="row" class="row" aria-rowindex={1}>
            {COLUMNS.map(({ name, label }) => (
              <div role="columnheader" class={name} key={name}>
                {label}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" class="rows" style={{ height: `${height}px` }}>
          {items.map(({ index, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <div
                role="row"
                key={row.id}
                id={`call-${row.id}`}
                class={classesOf(row)}
                aria-rowindex={index + 2}
                aria-selected={row.id === current}
                style={{ transform: `translateY(${start}px)`, height: `${rowHeight}px` }}
                onClick={() => onOpen(row.id)}
              >
                <CallCells row={row} />
              </div>
            );
          })}
        </div>
      </div>
      <button class="to-end" hidden={isAtEnd || height + head === 0} onClick={goToEnd}>
        Newest ↓
      </button>
    </div>
  );
}

function classesOf(row: TrafficRow): string {
  if (row.isRefused) return "row failed refused";
  return isFailed(row) ? "row failed" : "row";
}

/** Stays at the end of what it shows when there is more, if it was there before. */
function useEnd(
  { current: element }: { current: HTMLElement | null },
  content: string,
): { isAtEnd: boolean; goToEnd: () => void } {
  const [isAtEnd, setAtEnd] = useState(true);
  const isHeld = useRef(true);
  const goToEnd = (): void => element?.scrollTo({ top: element.scrollHeight });
  useEffect(() => {
    if (element === null) return undefined;
    let last = element.scrollTop;
    const look = (): void => {
      const { scrollTop, scrollHeight, clientHeight } = element;
      // More may have come since it was scrolled to the end, so only a move upwards lets go of it.
      if (scrollHeight - scrollTop - clientHeight < ONE_LINE) isHeld.current = true;
      else if (scrollTop < last) isHeld.current = false;
      last = scrollTop;
      setAtEnd(isHeld.current);
    };
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [element]);
  useLayoutEffect(() => {
    if (isHeld.current) goToEnd();
  }, [content]);
  return { isAtEnd, goToEnd };
}

function useIsNarrow(scroller: { current: HTMLElement | null }): boolean {
  const [isNarrow, setNarrow] = useState(() => innerWidth < NARROW);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setNarrow(element.clientWidth < NARROW));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return isNarrow;
}
