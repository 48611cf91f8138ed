/** Changes a request before it is sent again. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

import type { CallView, RepeatRequest } from "../traffic-view.ts";
import { askSession } from "./api.ts";
import { Dialog } from "./dialog.tsx";
import { parseFieldLines, formatFieldLines } from "./fields.ts";

interface EditCallProps {
  call: CallView;
  onSent: (id: number) => void;
  onClose: () => void;
}

export function EditCall({ call: { row, request }, onSent, onClose }: EditCallProps): VNode {
  const [method, setMethod] = useState(row.method ?? "GET");
  const [url, setUrl] = useState(row.address);
  const [fields, setFields] = useState(() => formatFieldLines(request?.headers ?? []));
  const { body, original, setBody } = useBody(row.id, request?.body.kept ?? 0);
  const [problem, setProblem] = useState<string>();
  const send = async (): Promise<void> => {
    const headers = parseFieldLines(fields);
    if (typeof headers === "string") return setProblem(headers);
    const isEdited = body !== undefined && body !== original;
    // What was written here has no encoding.
    const kept = headers.filter(([name]) => !isEdited || name.toLowerCase() !== "content-encoding");
    const edit: RepeatRequest = { method, url, headers: kept, ...(isEdited && { body }) };
    const { content, problem: refused } = await askSession<{ id: number }>("POST", `calls/${row.id}/again`, edit);
    if (content === undefined) return setProblem(refused);
    onClose();
    onSent(content.id);
  };
  return (
    <Dialog title="Edit and send" action="Send edited" problem={problem} onSubmit={() => void send()} onClose={onClose}>
      <div class="first-line">
        <label>
          <span>Method</span>
          <input
            value={method}
            required
            spellcheck={false}
            onInput={({ currentTarget }) => setMethod(currentTarget.value)}
          />
        </label>
        <label>
          <span>URL</span>
          <input value={url} required spellcheck={false} onInput={({ currentTarget }) => setUrl(currentTarget.value)} />
        </label>
      </div>
      <label class="block">
        <span>Header fields</span>
        <textarea
          rows={6}
          value={fields}
          spellcheck={false}
          onInput={({ currentTarget }) => setFields(currentTarget.value)}
        />
      </label>
      <label class="block">
        <span>Body</span>
        <textarea
          rows={8}
          value={body ?? ""}
          placeholder={body === undefined ? "The body is no text, and stays as it is unless you write one." : ""}
          spellcheck={false}
          onInput={({ currentTarget }) => setBody(currentTarget.value)}
        />
      </label>
    </Dialog>
  );
}

/** `body`: undefined if it is no text. `original`: before it was edited. */
function useBody(
  id: number,
  kept: number,
): { body: string | undefined; original: string | undefined; setBody: (body: string) => void } {
  const [original, setOriginal] = useState<string | undefined>(kept === 0 ? "" : undefined);
  const [edited, setBody] = useState<string>();
  useEffect(() => {
    if (kept === 0) return;
    void readText(id).then(setOriginal);
  }, [id]);
  return { body: edited ?? original, original, setBody };
}

/** @returns undefined for bytes that are no text, and if the session is gone */
async function readText(id: number): Promise<string | undefined> {
  try {
    const response = await fetch(`api/calls/${id}/request`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await response.arrayBuffer());
  } catch {
    return undefined;
  }
}
