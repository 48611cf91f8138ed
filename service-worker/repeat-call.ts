/** Makes a call that the traffic page sends again: decided, carried out and printed as if the Worker had made it. */

import type { Call } from "./env.ts";
import { forwardRequest } from "./fetch/http.ts";
import type { RepeatedCall } from "./routing/egress-protocol.ts";

/** Never rejects: the terminal and the journal say how it went. */
export async function repeatCall(
  { repeatId, bindingId, method, url, fields, body }: RepeatedCall,
  call: Omit<Call, "bindingId" | "repeatId">,
): Promise<void> {
  const content = body === undefined ? null : Uint8Array.from(atob(body), (char) => char.charCodeAt(0));
  try {
    // A redirect is a call of its own.
    const request = new Request(url, { method, headers: fields, body: content, redirect: "manual" });
    const response = await forwardRequest(request, { ...call, bindingId, repeatId });
    await response.body?.pipeTo(new WritableStream());
  } catch {
    // Nobody waits for it.
  }
}
