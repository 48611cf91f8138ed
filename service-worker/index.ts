/**
 * The service worker: the only way from a user's Worker to a private service. Entrypoints and wiring only.
 *
 *   user's Worker ── stub (props: which binding) ──▶ binding ── decide ──▶ http.ts | tcp.ts ──▶ target
 *                              └─ connect(), counted ──▶ Relay ──▶ tcp.ts
 *   code in Node  ── Miniflare's proxy ──▶ NodeBinding ── the same, and connect() ──▶ for-node.ts
 *   plugin        ── egress proxy ──▶ table-in-force.ts  (an edit of the vpc config)
 */

import { env, WorkerEntrypoint } from "cloudflare:workers";
import type { BindingProps, Call, ServiceWorkerEnv } from "./env.ts";
import { forwardRequest } from "./fetch/http.ts";
import { connectForNode, readNodeConnection } from "./connect/for-node.ts";
import { forwardConnection, forwardHop } from "./connect/tcp.ts";
import { catchUp, tableInForce } from "./table-in-force.ts";

export { TableFollower } from "./table-in-force.ts";
export { TestDoor } from "./test/test-door.ts";
export { TestFunctions } from "./test/test-functions.ts";

const serviceWorkerEnv = env as unknown as ServiceWorkerEnv;

// Indexes the table at the start, because it would delay the first request.
tableInForce(serviceWorkerEnv);

/**
 * What `env.B` of a user's Worker calls. Nothing in it is callable over RPC, because it isn't a class. A class would also
 * need a new instance for each request.
 */
const binding: Handlers = {
  fetch(request, _, ctx) {
    // Awaits only if there is a promise, because each await takes time.
    const caughtUp = catchUp(serviceWorkerEnv);
    if (caughtUp === undefined) return forwardRequest(request, callOf(ctx));
    return caughtUp.then(() => forwardRequest(request, callOf(ctx)));
  },

  async connect(socket, _, ctx) {
    await catchUp(serviceWorkerEnv);
    return forwardConnection(socket, callOf(ctx));
  },
};

export default binding;

/** What `env.B` of code in Node calls (`getPlatformProxy`, `mf.getBindings()`). No Worker has a stub of it. */
export const NodeBinding: Handlers = {
  ...binding,
  fetch(request, unused, ctx) {
    const connection = readNodeConnection(request, serviceWorkerEnv);
    if (connection === undefined) return binding.fetch(request, unused, ctx);
    return Promise.resolve(catchUp(serviceWorkerEnv)).then(() => connectForNode(connection, callOf(ctx)));
  },
};

type Context = ExecutionContext<BindingProps>;

interface Handlers {
  fetch(request: Request, env: unknown, ctx: Context): Promise<Response>;
  connect(socket: Socket, env: unknown, ctx: Context): Promise<void>;
}

function callOf(ctx: Context): Call {
  return { bindingId: ctx.props.binding, index: tableInForce(serviceWorkerEnv), env: serviceWorkerEnv, ctx };
}

/** The far end of a hop (hop.ts). Only the service worker itself has a stub of it. */
export class Relay extends WorkerEntrypoint<ServiceWorkerEnv> {
  override connect(socket: Socket): Promise<void> {
    return forwardHop(socket, this.ctx);
  }
}
