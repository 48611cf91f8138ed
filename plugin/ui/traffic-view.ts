/**
 * What the page gets: a row for each call, and all of one call. Types only, because the page's own code imports them too.
 *
 *   journal ──▶ rows (feed.ts) ──▶ list
 *           └─▶ call (call-view.ts) ──▶ detail
 */

import type { CallStep, ConnectionDetail, Timings } from "../scenario/call-steps.ts";

/** A call as the list shows it. */
export interface TrafficRow {
  id: number;
  kind: "http" | "websocket" | "tcp";
  /** Names of the wrangler config. */
  binding: string;
  worker: string;
  /** Absent for TCP. */
  method?: string;
  /** The URL, or `host:port`, that the Worker asked for. */
  address: string;
  /** As the vpc config writes it; absent if no route decided. */
  route?: string;
  target?: string;
  /** The rule that decided, in words: `rule "USERS" "GET /users/:id"`. */
  rule?: string;
  /** The faults that have acted on it, as Toxiproxy names them. */
  faults?: string[];
  status?: number;
  /** The error code that the Worker got. */
  code?: string;
  /** The vpc config, or `strict`, refused it. */
  isRefused?: true;
  /** The page has sent it again. */
  isRepeated?: true;
  /** Bytes of the body, the connection, or a WebSocket's messages, from the Worker. */
  sent: number;
  /** Bytes to the Worker. */
  received: number;
  /** Milliseconds since 1970. */
  startedAt: number;
  /** Milliseconds; absent while it goes on. */
  duration?: number;
}

/** The session that the page shows. */
export interface SessionView {
  /** Milliseconds since 1970: when the first page was opened. */
  observedSince: number;
  bindings: BindingView[];
  /** What the journal keeps. */
  limits: { entries: number; /** Bytes of one body. */ body: number };
  /** All error codes. */
  codes: readonly string[];
}

export interface BindingView {
  binding: string;
  worker: string;
  kind: "service" | "network" | "hyperdrive" | "unlinked";
}

/** A message of `GET api/feed`, as JSON. */
export interface FeedEvent<Name extends keyof FeedEvents = keyof FeedEvents> {
  event: Name;
  data: FeedEvents[Name];
}

/** Events of `GET api/feed`, by their names. The rows of a call replace each other. */
export interface FeedEvents {
  /** The first one, also after a lost connection. What the page had before no longer counts. */
  session: SessionView;
  rows: TrafficRow[];
  /** Each time that it changes. */
  inForce: InForceView;
  /** Each time that an edit of the vpc config changes it. */
  network: NetworkView;
  /** All rows up to this id are gone. */
  cleared: { upTo: number };
}

/** `GET api/calls/{id}`. */
export interface CallView {
  row: TrafficRow;
  /** Absent if the binding is gone since. */
  decision?: DecisionView;
  error?: ErrorView;
  request?: MessageView;
  response?: MessageView & { statusText?: string };
  /** Bytes of a connection. */
  sent?: BytesView;
  received?: BytesView;
  /** The first ones of a connection to a database. */
  statements?: { protocol: string; statements: string[] };
  /** Messages of a WebSocket, or what a connection read and wrote at once. */
  conversation?: ConversationView;
  /** Absent for a call that began before the page was opened. */
  timing?: TimingView;
  /** To the target. Absent if none was made. */
  connection?: ConnectionDetail;
}

export interface ConversationView {
  /** In order. */
  pieces: PieceView[];
  /** Later ones, which are not here. */
  more: number;
}

export interface PieceView {
  from: "worker" | "target";
  /** Milliseconds since the call began. */
  at: number;
  /** Where its bytes are in those sent or received, or in all `messages`. */
  offset: number;
  size: number;
  /** Of a WebSocket's message (RFC 6455 §5.2). */
  opcode?: number;
}

export interface TimingView {
  /** Milliseconds since the call began, by the step. */
  at: Partial<Record<CallStep, number>>;
  /** As HAR names them. */
  phases: Timings;
  /** Milliseconds that the steps and phases cover. */
  until: number;
  isOver: boolean;
}

/** As `miniflare-vpc explain` prints it. */
export interface DecisionView {
  heading: string;
  steps: { label: string; lines: string[] }[];
}

export interface ErrorView {
  code: string;
  /** As the Cloudflare dashboard groups it. */
  group: string;
  summary: string;
  /** Why, in words. */
  reason?: string;
  /** What to do about it. */
  hint: string;
  /** The rule that comes nearest to a refused call, and what differs. */
  nearest?: string;
}

export interface MessageView {
  headers: [fieldName: string, value: string][];
  body: BytesView;
}

/** Bytes of one direction. `GET api/calls/{id}/{request|response|sent|received|messages}` gives those that are kept. */
export interface BytesView {
  /** How many passed. */
  size: number;
  kept: number;
  isEnded: boolean;
}

/** What happens to calls beside what the routes say. */
export interface InForceView {
  /** Newest first. */
  rules: RuleView[];
  /** They end with an edit of the vpc config. */
  configFaults: ConfigFaultView[];
  /** A test refuses what no rule matches. */
  isStrict: boolean;
}

export interface RuleView {
  id: string;
  /** A binding, or a destination as routes write it. */
  who: string;
  /** As `GET /users/:id`. Absent: every call. */
  call?: string;
  effect: "respond" | "respondBy" | "fail" | "to" | "connectBy" | "faults";
  /** What it does, in words. */
  text: string;
  /** Who made it. */
  from: "page" | "test" | "control";
  /** Calls that it decided, or that its faults acted on. */
  decided: number;
  isUsedUp?: true;
}

export interface ConfigFaultView {
  who: string;
  text: string;
  /** `file:line:column`. */
  origin: string;
}

/** `GET api/calls/{id}/{curl|test}`. */
export interface CopyView {
  text: string;
  /** How it differs from the call. */
  note?: string;
}

/** `POST api/calls/{id}/again`. What is absent stays as it was. */
export interface RepeatRequest {
  method?: string;
  url?: string;
  headers?: [fieldName: string, value: string][];
  /** In UTF-8. */
  body?: string;
}

/** An answer that is no success. */
export interface ProblemView {
  /** In words. */
  error: string;
}

export interface NetworkView {
  bindings: NetworkBindingView[];
}

export interface NetworkBindingView extends BindingView {
  /** Of the service's record, or of the network. */
  name: string;
  routes: RouteView[];
}

export interface RouteView {
  /** As the vpc config writes it; for a service, its host. */
  text: string;
  target: string;
  targetType: "address" | "unix" | "worker" | "passthrough" | "deny" | "function" | "stand-in";
  /** `file:line:column`. */
  origin: string;
}

/** `POST api/probe` gives one for each target that can be dialled. */
export interface ProbeView {
  /** Of the routes that lead to it. */
  origins: readonly string[];
  state: "open" | "refused" | "timed out" | "failed";
  /** What answers, or why nothing does. */
  text: string;
  /** Milliseconds. */
  time: number;
}
