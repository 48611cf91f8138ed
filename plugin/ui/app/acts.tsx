/** What can be done with a call. */

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import type { CallView, CopyView } from "../traffic-view.ts";
import { askSession } from "./api.ts";
import { EditCall } from "./edit-call.tsx";
import { saveJson } from "./save-file.ts";

interface ActsProps {
  call: CallView;
  onOpen: (id: number) => void;
  onAddFault: () => void;
}

/** What the last act led to. */
interface Outcome {
  message: string;
  isProblem?: true;
  /** To copy. */
  text?: string;
}

/** What the session answers. */
interface Acted {
  curl: CopyView;
  test: CopyView;
  har: object;
  again: { id: number };
  "stand-in": object;
  deny: object;
}

export function Acts({ call, onOpen, onAddFault }: ActsProps): VNode {
  const { id } = call.row;
  const [outcome, setOutcome] = useState<Outcome>();
  const [isEditing, setEditing] = useState(false);
  /** Of the acts so far, also those on other calls. Only the newest one says what it led to. */
  const turn = useRef(0);
  useEffect(() => {
    turn.current++;
    setOutcome(undefined);
  }, [id]);

  /** @param done what to say, or what to do next */
  async function act<Name extends keyof Acted>(
    method: "GET" | "POST",
    name: Name,
    done: (content: Acted[Name]) => Outcome | Promise<Outcome>,
  ): Promise<void> {
    const now = ++turn.current;
    const { content, problem } = await askSession<Acted[Name]>(
      method,
      `calls/${id}/${name}`,
      method === "POST" ? {} : undefined,
    );
    const next = content === undefined ? { message: problem ?? "", isProblem: true as const } : await done(content);
    if (now === turn.current) setOutcome(next);
  }

  const isHttp = call.row.kind === "http";
  return (
    <div class="acts">
      <div class="buttons" role="group" aria-label="Act on this call">
        <button onClick={() => void act("GET", "curl", copy)}>Copy as curl</button>
        <button onClick={() => void act("GET", "test", copy)}>Copy as test</button>
        <button
          onClick={() =>
            void act("GET", "har", (har) => {
              saveJson(`call-${id}.har`, har);
              return { message: `Saved as call-${id}.har, without its secrets.` };
            })
          }
        >
          Save HAR
        </button>
        <button
          onClick={() =>
            void act("POST", "again", (sent) => {
              onOpen(sent.id);
              return { message: "" };
            })
          }
        >
          Send again
        </button>
        {isHttp && <button onClick={() => setEditing(true)}>Edit and send</button>}
        <button
          onClick={() =>
            void act("POST", "stand-in", () => ({ message: "From now on, a rule answers so. Undo it at the top." }))
          }
        >
          Turn into stand-in
        </button>
        <button
          onClick={() =>
            void act("POST", "deny", () => ({
              message: "From now on, its route fails with destination_ip_prohibited. Undo it at the top.",
            }))
          }
        >
          Deny
        </button>
        <button onClick={onAddFault}>Add fault</button>
      </div>
      <div role="status" class={outcome?.isProblem ? "outcome problem" : "outcome"}>
        {outcome?.message}
        {outcome?.text !== undefined && <pre tabIndex={0}>{outcome.text}</pre>}
      </div>
      {isEditing && <EditCall call={call} onSent={onOpen} onClose={() => setEditing(false)} />}
    </div>
  );
}

/** A browser may forbid it; then the text is there to be selected. */
async function copy({ text, note = "" }: CopyView): Promise<Outcome> {
  try {
    await navigator.clipboard.writeText(text);
    return { message: `Copied. ${note}`, text };
  } catch {
    return { message: `The browser lets nothing be copied: select the text. ${note}`, text };
  }
}
