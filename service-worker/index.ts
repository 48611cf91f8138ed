/**
 * The service worker: the only door from a user's Worker to a private service. Entrypoints and
 * wiring only.
 *
 *   user's Worker ── stub (props: which binding) ──▶ binding ── decide ──▶ http.ts | tcp.ts ──▶ target
 *                 ── RPC ──▶ Outcomes  (how did connect() end?)
 *   plugin        ── POST /table ──▶ Control  (an edit of the vpc config)
 */

import { env, WorkerEntrypoint } from "cloudflare:workers";
import type { BindingProps, Call, ServiceWorkerEnv } from "./env.ts";
import { forwardRequest } from "./http.ts";
import { type Outcome, awaitOutcome } from "./outcomes.ts";
import { forwardConnection } from "./tcp.ts";
import { type IndexedTable, indexTable } from "./route-index.ts";
import { type RoutingTable, TABLE_VERSION } from "./table.ts";

const serviceWorkerEnv = env as unknown as ServiceWorkerEnv;

/** Replaced as a whole by an edit; a request keeps the one it started with. */
let current: IndexedTable = indexTable(serviceWorkerEnv.TABLE);

/**
 * What `env.B` of a user's Worker is. Nothing of it is callable over RPC: it is no class, to make an instance of which
 * takes a fifteenth of a small request's time besides.
 */
const binding: Handlers = {
  fetch(request, _, ctx) {
    return forwardRequest(request, callOf(ctx));
  },

  connect(socket, _, ctx) {
    return forwardConnection(socket, callOf(ctx));
  },
};

export default binding;

type Context = ExecutionContext<BindingProps>;

interface Handlers {
  fetch(request: Request, env: unknown, ctx: Context): Promise<Response>;
  connect(socket: Socket, env: unknown, ctx: Context): Promise<void>;
}

function callOf(ctx: Context): Call {
  return { bindingId: ctx.props.binding, index: current, env: serviceWorkerEnv, ctx };
}

/** Harmless in a user's hands: an id is a random number of the facade that opened the connection. */
export class Outcomes extends WorkerEntrypoint<ServiceWorkerEnv> {
  of(connectionId: string): Promise<Outcome> {
    const outcome = awaitOutcome(connectionId);
    // The runtime warns, with a stack, of an answer to a caller that is gone.
    this.ctx.waitUntil(outcome);
    return outcome;
  }
}

/** Behind a socket that only the plugin knows, with a secret besides. */
export class Control extends WorkerEntrypoint<ServiceWorkerEnv> {
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("authorization") !== `Bearer ${this.env.CONTROL_SECRET}`) {
      return new Response("miniflare-vpc: this socket belongs to the plugin\n", { status: 403 });
    }
    const table: RoutingTable = await request.json();
    if (table.version !== TABLE_VERSION) {
      return new Response("miniflare-vpc: this table is of another version\n", { status: 400 });
    }
    // Two quick edits may arrive out of order; the newer one stays.
    if (table.generation > current.table.generation) current = indexTable(table);
    return new Response(null, { status: 204 });
  }
}
