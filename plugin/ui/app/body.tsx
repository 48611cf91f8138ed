/** The body of a message, or the bytes of a connection in one direction. */

import type { VNode } from "preact";

import type { BytesView } from "../traffic-view.ts";
import { Bytes, useBytes } from "./bytes.tsx";
import { sizeInWords } from "./format.ts";

interface BodyProps {
  bytes: BytesView;
  contentType?: string | undefined;
  /** What an empty one is called. */
  none?: string;
  /** Where the bytes are. */
  source: string;
}

export function Body({
  bytes: { size, kept, isEnded },
  contentType = "",
  none = "No body.",
  source,
}: BodyProps): VNode {
  const content = useBytes(source, kept);
  if (size === 0) return <p class="note">{isEnded ? none : "Nothing yet."}</p>;
  const note = (
    <span class="note">
      {sizeInWords(size)}
      {contentType !== "" && `, ${contentType}`}
      {!isEnded && ", more may come"}
    </span>
  );
  return (
    <>
      {kept < size && (
        <p class="note limit">
          {kept === 0 ? "None of it is kept" : `Only the first ${sizeInWords(kept)} are kept`}: it is longer than the
          limit, or the journal was full.
        </p>
      )}
      {content ? <Bytes content={content} contentType={contentType} note={note} /> : note}
    </>
  );
}
