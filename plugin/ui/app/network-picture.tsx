/** The network as a picture: which Worker reaches what, and what answers there now. And the same as a table. */

import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import type { NetworkView, ProbeView, RouteView } from "../traffic-view.ts";
import { BINDING_KINDS, NODE_HEIGHT, type PictureNode, layOut } from "./network-layout.ts";

interface NetworkPictureProps {
  network: NetworkView;
  /** Undefined: not known yet. */
  probes: readonly ProbeView[] | undefined;
}

export interface Answering {
  /** `none`: it can't be dialled. */
  state: ProbeView["state"] | "none" | "asking";
  text: string;
}

/** What answers at the end of a route. */
export function answeringAt({ origin, targetType }: RouteView, probes: readonly ProbeView[] | undefined): Answering {
  if (probes === undefined) return { state: "asking", text: "asking …" };
  const probe = probes.find(({ origins }) => origins.includes(origin));
  if (probe !== undefined) return { state: probe.state, text: `${probe.text}, ${probe.time} ms` };
  return { state: "none", text: UNDIALLED[targetType] };
}

const UNDIALLED: Record<RouteView["targetType"], string> = {
  address: "depends on the call",
  unix: "depends on the call",
  passthrough: "depends on the call",
  worker: "a Worker of the session",
  function: "runs in the session",
  "stand-in": "answers from data",
  deny: "refuses",
};

/** Pixels. */
const MOST = 1180;
const LEAST = 560;
/** Of the width, by the column: where it begins, and how wide it is. */
const COLUMNS = [
  [0, 0.14],
  [0.2, 0.17],
  [0.43, 0.23],
  [0.72, 0.28],
] as const;
/** Pixels of a character of the two fonts. */
const CHAR = 7.3;
const SMALL_CHAR = 6.7;

export function NetworkPicture({ network, probes }: NetworkPictureProps): VNode {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const { nodes, edges, height } = useMemo(() => layOut(network.bindings), [network]);
  const left = ({ column }: PictureNode): number => (COLUMNS[column]?.[0] ?? 0) * width;
  const wide = ({ column }: PictureNode): number => (COLUMNS[column]?.[1] ?? 0) * width;
  return (
    <div class="picture-frame" ref={frame}>
      <svg class="network" width={width} height={height} role="img" aria-label="The network, also as a table below">
        {edges.map(({ key, from, to }) => {
          const [x1, x2] = [left(from) + wide(from), left(to)];
          const middle = (x1 + x2) / 2;
          return <path key={key} d={`M${x1} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${x2} ${to.y}`} />;
        })}
        {nodes.map((node) => {
          const { route, lines } = node;
          const answering = route && answeringAt(route, probes);
          const [text, note] = [lines[0], answering?.text ?? lines[1]];
          const room = wide(node) - 18;
          return (
            <g
              key={node.key}
              class={`node ${answering === undefined ? "" : `state-${answering.state.replace(" ", "-")}`}`}
            >
              <title>{`${text}\n${note}`}</title>
              <rect x={left(node)} y={node.y - NODE_HEIGHT / 2} width={wide(node)} height={NODE_HEIGHT} rx={6} />
              <rect class="edge" x={left(node)} y={node.y - NODE_HEIGHT / 2} width={4} height={NODE_HEIGHT} rx={2} />
              <text x={left(node) + 12} y={node.y - 3}>
                {cut(text, room / CHAR)}
              </text>
              <text class="small" x={left(node) + 12} y={node.y + 12}>
                {cut(note, room / SMALL_CHAR)}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

/** @param room characters */
export function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(1, Math.floor(room) - 1))}…`;
}

function useWidth({ current }: { current: HTMLElement | null }, fallback = LEAST): number {
  const [width, setWidth] = useState(fallback);
  useLayoutEffect(() => {
    const element = current ?? document.querySelector<HTMLElement>(".picture-frame");
    if (element === null) return undefined;
    const read = (): void => setWidth(Math.min(MOST, Math.max(LEAST, element.clientWidth)));
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, [current]);
  return width;
}

export function NetworkTable({ network, probes }: NetworkPictureProps): VNode {
  return (
    <details class="as-table">
      <summary>As a table</summary>
      <div class="scroller" tabIndex={0} role="group" aria-label="The network, as a table">
        <table>
          <thead>
            <tr>
              {["Worker", "Binding", "Route", "Target", "Answers now", "Written at"].map((title) => (
                <th scope="col" key={title}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {network.bindings.flatMap(({ worker, binding, kind, routes }) =>
              (routes.length === 0 ? [undefined] : routes).map((route, index) => (
                <tr key={`${worker} ${binding} ${index}`}>
                  <td>{worker}</td>
                  <th scope="row">
                    {binding} <span class="note">{BINDING_KINDS[kind]}</span>
                  </th>
                  <td>{route?.text ?? "no route"}</td>
                  <td>{route?.target}</td>
                  <td>{route && answeringAt(route, probes).text}</td>
                  <td>{route?.origin}</td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </div>
    </details>
  );
}
