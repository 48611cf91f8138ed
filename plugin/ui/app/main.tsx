/** The page that shows the traffic of a session: puts its parts together, and takes the keyboard. */

import { render, type VNode } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import type { TrafficRow } from "../traffic-view.ts";
import { CallDetail } from "./detail.tsx";
import { type Filter, NO_FILTER, isFiltering, makeFilter, readFilter, writeFilter } from "./filter.ts";
import { countInWords } from "./format.ts";
import { FaultPanel } from "./fault-panel.tsx";
import { InForceBar } from "./in-force.tsx";
import { useKeyboard } from "./keyboard.ts";
import { CallList } from "./list.tsx";
import { isFailed } from "./row.tsx";
import { Empty, NoMatch } from "./empty.tsx";
import { Overview } from "./overview.tsx";
import { Toolbar } from "./toolbar.tsx";
import { type Link, type CallStore, followCalls } from "./call-store.ts";
import { whoseCall, whosOf } from "./whos.ts";
import { useStore } from "./use-store.ts";

function App({ store }: { store: CallStore }): VNode {
  useStore(store);
  const { filter, change } = useFilter();
  const { rows: all } = store;
  const rows = useMemo(() => all.filter(makeFilter(filter)), [all, filter]);
  const [current, setCurrent] = useState<number>();
  const [isOpen, setOpen] = useState(false);
  const textField = useRef<HTMLInputElement>(null);
  const shown = current === undefined ? undefined : store.find(current);
  const open = (id: number): void => {
    setCurrent(id);
    setOpen(true);
  };
  const close = (): void => {
    setOpen(false);
    document.querySelector<HTMLElement>("[role=grid]")?.focus();
  };
  const [isOverview, setOverview] = useState(false);
  useKeyboard({
    hasList: !isOverview,
    // Keys may be faster than the page is drawn.
    move: (step) => setCurrent((before) => neighbour(rows, before, step)),
    open: () => {
      if (shown === undefined) setCurrent(rows.at(-1)?.id);
      setOpen(true);
    },
    search: () => textField.current?.focus(),
    leave: () => {
      if (document.activeElement === textField.current) {
        change({ text: "" });
        textField.current?.blur();
      } else if (isOverview) setOverview(false);
      else close();
    },
  });
  useEffect(() => {
    document.title = `${all.length === 0 ? "" : `(${all.length}) `}Traffic`;
  }, [all.length]);
  const isDetailed = isOpen && shown !== undefined && !isOverview;
  const [faultFor, setFaultFor] = useState<string>();
  return (
    <>
      <header>
        <h1>Traffic</h1>
        <Toolbar store={store} filter={filter} textField={textField} onFilter={change} isCallOpen={isDetailed} />
        <button aria-pressed={isOverview} onClick={() => setOverview(!isOverview)}>
          Overview
        </button>
      </header>
      <InForceBar
        inForce={store.inForce}
        isCallOpen={isDetailed}
        onAddFault={() => setFaultFor(whosOf(store)[0] ?? "")}
      />
      {isOverview ? (
        <Overview network={store.network} rows={rows} />
      ) : (
        <main class={isDetailed ? "split" : ""}>
          <div class="calls">
            {all.length === 0 && <Empty store={store} />}
            {all.length > 0 && rows.length === 0 && <NoMatch onReset={() => change(NO_FILTER)} />}
            <CallList rows={rows} current={current} onOpen={open} />
          </div>
          {isDetailed && (
            <CallDetail
              row={shown}
              onClose={close}
              onOpen={open}
              onAddFault={() => setFaultFor(whoseCall(shown, store))}
            />
          )}
        </main>
      )}
      <Footer store={store} shown={rows.length} filter={filter} />
      {faultFor !== undefined && (
        <FaultPanel
          who={faultFor}
          choices={whosOf(store)}
          codes={store.session?.codes ?? []}
          onClose={() => setFaultFor(undefined)}
        />
      )}
    </>
  );
}

function useFilter(): { filter: Filter; change: (change: Partial<Filter>) => void } {
  const [filter, setFilter] = useState(() => readFilter(location.hash));
  useEffect(() => history.replaceState(null, "", `${location.pathname}${writeFilter(filter)}`), [filter]);
  useEffect(() => {
    const read = (): void => setFilter(readFilter(location.hash));
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return { filter, change: (change) => setFilter((before) => ({ ...before, ...change })) };
}

/** @param step -1: the one before; Infinity: the last one */
function neighbour(rows: readonly TrafficRow[], current: number | undefined, step: number): number | undefined {
  const at = rows.findIndex(({ id }) => id === current);
  const from = at === -1 ? (step > 0 ? -1 : rows.length) : at;
  return rows[Math.min(Math.max(from + step, 0), rows.length - 1)]?.id ?? current;
}

const LINKS: Record<Link, string> = {
  connecting: "Connecting …",
  live: "Live",
  lost: "The session has ended, or can't be reached. This page looks for it.",
};

function Footer({ store, shown, filter }: { store: CallStore; shown: number; filter: Filter }): VNode {
  const { rows, link, isPaused, missed } = store;
  const failed = rows.filter(isFailed).length;
  return (
    <footer>
      <span class={`link ${link}`} role="status">
        {LINKS[link]}
      </span>
      {isPaused && (
        <span class="paused">
          Paused, {countInWords(missed, "new call")} <button onClick={() => store.setPaused(false)}>Resume</button>
        </span>
      )}
      <span class="counts">
        {isFiltering(filter) && `${shown.toLocaleString("en")} of `}
        {countInWords(rows.length, "call")}, {failed.toLocaleString("en")} failed
      </span>
      <span class="keys" aria-hidden="true">
        <kbd>j</kbd> <kbd>k</kbd> move <kbd>↵</kbd> open <kbd>esc</kbd> close <kbd>/</kbd> search
      </span>
    </footer>
  );
}

render(<App store={followCalls()} />, document.body);
