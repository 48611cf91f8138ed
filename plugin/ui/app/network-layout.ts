/** Where the parts of the network's picture stand: Workers, bindings, routes and targets in columns, and lines between them. Pure. */

import type { NetworkBindingView, RouteView } from "../traffic-view.ts";

export interface PictureNode {
  key: string;
  column: number;
  /** Pixels, of the middle. */
  y: number;
  lines: readonly [text: string, note: string];
  /** Of a target. */
  route?: RouteView;
}

export interface PictureEdge {
  key: string;
  from: PictureNode;
  to: PictureNode;
}

export interface PictureLayout {
  nodes: readonly PictureNode[];
  edges: readonly PictureEdge[];
  /** Pixels. */
  height: number;
}

/** Pixels. */
export const NODE_HEIGHT = 38;
const GAP = 10;
const STEP: number = NODE_HEIGHT + GAP;

/** Routes of one network that several bindings use stand there once, and so does a target of several routes. */
export function layOut(bindings: readonly NetworkBindingView[]): PictureLayout {
  const columns: [
    Map<string, PictureNode>,
    Map<string, PictureNode>,
    Map<string, PictureNode>,
    Map<string, PictureNode>,
  ] = [new Map(), new Map(), new Map(), new Map()];
  const edges = new Map<string, PictureEdge>();
  const place = (column: 0 | 1 | 2 | 3, key: string, rest: Pick<PictureNode, "lines" | "route">): PictureNode => {
    const known = columns[column].get(key);
    if (known !== undefined) return known;
    const node: PictureNode = { key: `${column} ${key}`, column, y: columns[column].size * STEP + STEP / 2, ...rest };
    columns[column].set(key, node);
    return node;
  };
  const join = (from: PictureNode, to: PictureNode): void => {
    const key = `${from.key} → ${to.key}`;
    edges.set(key, { key, from, to });
  };
  for (const { worker, binding, kind, name, routes } of bindings) {
    const atWorker = place(0, worker, { lines: [worker, "Worker"] });
    const atBinding = place(1, `${worker} ${binding}`, { lines: [binding, BINDING_KINDS[kind]] });
    join(atWorker, atBinding);
    if (routes.length === 0) {
      const nowhere = place(2, `${worker} ${binding} nowhere`, { lines: ["no route", name] });
      join(atBinding, nowhere);
    }
    for (const route of routes) {
      const atRoute = place(2, `${route.origin} ${route.text}`, { lines: [route.text, placeOf(route.origin)] });
      const atTarget = place(3, `${route.targetType} ${route.target} ${isDialled(route) ? "" : route.origin}`, {
        lines: [route.target, ""],
        route,
      });
      join(atBinding, atRoute);
      join(atRoute, atTarget);
    }
  }
  const rows = Math.max(1, ...columns.map(({ size }) => size));
  // A short column stands in the middle.
  const nodes = columns.flatMap((column) => {
    const offset = ((rows - column.size) * STEP) / 2;
    return [...column.values()].map((node) => Object.assign(node, { y: node.y + offset }));
  });
  return { nodes, edges: [...edges.values()], height: rows * STEP };
}

export const BINDING_KINDS: Record<NetworkBindingView["kind"], string> = {
  service: "VPC Service",
  network: "VPC Network",
  hyperdrive: "Hyperdrive",
  unlinked: "not in the vpc config",
};

function isDialled({ targetType }: RouteView): boolean {
  return targetType === "address" || targetType === "unix";
}

/** The file's name is enough. */
function placeOf(origin: string): string {
  return origin.slice(origin.lastIndexOf("/") + 1);
}
