/** What the page says when there is no call to show. */

import type { VNode } from "preact";

import type { BindingView } from "../traffic-view.ts";
import type { CallStore } from "./call-store.ts";

export function Empty({ store: { session, link, isPaused } }: { store: CallStore }): VNode {
  const bindings = session?.bindings ?? [];
  if (isPaused)
    return (
      <section class="empty">
        <h2>The list is paused</h2>
        <p>Calls are captured meanwhile. Resume at the bottom to see them.</p>
      </section>
    );
  return (
    <section class="empty">
      <h2>{link === "connecting" ? "Connecting to the session" : "Waiting for the first call"}</h2>
      <p>
        Each <code>fetch()</code> and <code>connect()</code> of a VPC binding appears here from now on, with where it
        was led, why, and what came back. Send your Worker a request to see one.
      </p>
      {bindings.length > 0 && (
        <dl>
          {bindings.map((binding) => (
            <div key={`${binding.worker}/${binding.binding}`}>
              <dt>env.{binding.binding}</dt>
              <dd>
                {KINDS[binding.kind]} of {binding.worker}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

const KINDS: Record<BindingView["kind"], string> = {
  service: "VPC Service",
  network: "VPC Network",
  hyperdrive: "Hyperdrive",
  unlinked: "without an entry in the vpc config,",
};

export function NoMatch({ onReset }: { onReset: () => void }): VNode {
  return (
    <section class="empty">
      <h2>No call matches the filters</h2>
      <p>
        <button onClick={onReset}>Show all calls</button>
      </p>
    </section>
  );
}
