/** Bytes as a tree, as text, as an image, or in hex. */

import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";

import { countInWords } from "./format.ts";
import { HEX_LINE, formatHex } from "./hex.ts";
import { JsonTree } from "./json-tree.tsx";
import { useLatest } from "./use-latest.ts";

type Content = Uint8Array<ArrayBuffer>;
type Form = "JSON" | "Image" | "Text" | "Hex";

interface BytesProps {
  content: Content;
  /** As its message says. */
  contentType?: string | undefined;
  /** Absent: the best one. */
  first?: Form | undefined;
  /** Stands beside the choice. */
  note?: VNode;
}

export function Bytes({ content, contentType = "", first, note }: BytesProps): VNode {
  const [chosen, setChosen] = useState<Form | undefined>(first);
  const forms = formsOf(content, contentType);
  const form = chosen !== undefined && forms.includes(chosen) ? chosen : (forms[0] ?? "Hex");
  return (
    <div class="body">
      <div class="forms">
        {note ?? <span />}
        <span class="switch" role="group" aria-label="Show as">
          {forms.map((each) => (
            <button key={each} aria-pressed={each === form} onClick={() => setChosen(each)}>
              {each}
            </button>
          ))}
        </span>
      </div>
      <Shown content={content} form={form} contentType={contentType} />
    </div>
  );
}

/** @param kept how many there are now */
export function useBytes(source: string, kept: number): Content | undefined {
  // The call's own request says if the session is gone.
  return useLatest(kept === 0 ? "" : source, kept, readBytes).content;
}

async function readBytes(response: Response): Promise<Content | undefined> {
  return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
}

/** The best one first. */
function formsOf(content: Uint8Array, contentType: string): Form[] {
  if (/^image\//i.test(contentType)) return ["Image", "Hex"];
  const text = textIn(content);
  if (text === undefined) return ["Hex", "Text"];
  return parseJson(text) === undefined ? ["Text", "Hex"] : ["JSON", "Text", "Hex"];
}

/** @returns undefined if the bytes are no text; the last character may be cut off */
export function textIn(content: Uint8Array): string | undefined {
  // oxlint-disable-next-line no-control-regex
  const text = new TextDecoder().decode(content, { stream: true });
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u0008\u000e-\u001a\ufffd]/.test(text) ? undefined : text;
}

/** A dot for each character that can't be seen, as a hex dump has it. */
function showControls(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, "·");
}

/** Only objects and lists are worth a tree. */
function parseJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

function Shown({ content, form, contentType }: { content: Content; form: Form; contentType: string }): VNode {
  switch (form) {
    case "JSON":
      return <JsonTree value={parseJson(textIn(content) ?? "")} />;
    case "Image":
      return <Picture content={content} contentType={contentType} />;
    case "Text":
      return <Long text={showControls(new TextDecoder().decode(content))} limit={100_000} unit="character" />;
    case "Hex":
      return <Long text={formatHex(content)} limit={HEX_LINE * 512} unit="character" isHex />;
    default:
      return form satisfies never;
  }
}

function Picture({ content, contentType }: { content: Content; contentType: string }): VNode {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([content], { type: contentType }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [content]);
  return <div class="picture">{url !== undefined && <img src={url} alt="The body" />}</div>;
}

interface LongProps {
  text: string;
  /** Characters that are shown first. */
  limit: number;
  unit: string;
  isHex?: boolean;
}

function Long({ text, limit, unit, isHex = false }: LongProps): VNode {
  const [shown, setShown] = useState(limit);
  const rest = text.length - shown;
  return (
    <>
      <pre class={isHex ? "hex" : "text"} tabIndex={0}>
        {text.slice(0, shown)}
      </pre>
      {rest > 0 && <button onClick={() => setShown(Infinity)}>Show {countInWords(rest, `more ${unit}`)}</button>}
    </>
  );
}
