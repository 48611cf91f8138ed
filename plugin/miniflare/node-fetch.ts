/**
 * Wraps the `fetch()` of Miniflare's proxy in Node: returns Node's own `Response`, and follows redirects through the
 * binding. Miniflare follows redirects over Node's network, which can't reach private names.
 */

/** The `fetch()` of Miniflare's proxy. */
export type ProxyFetch = (input: unknown, init?: object) => Promise<HostResponse>;

/** The parts of Miniflare's `Response` that are read here. */
type HostResponse = Pick<Response, "body" | "headers" | "json" | "status" | "statusText"> & {
  webSocket: object | null;
};

type Init = RequestInit & { cf?: unknown };

/** https://fetch.spec.whatwg.org/#http-redirect-fetch */
const MAX_REDIRECTS = 20;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export async function fetchInNode(proxyFetch: ProxyFetch, [input, init]: [unknown, Init?]): Promise<unknown> {
  // Miniflare handles its own Request.
  if (typeof input !== "string" && !(input instanceof URL) && !(input instanceof Request)) {
    return await proxyFetch(input, init);
  }
  const mode = init?.redirect ?? (input instanceof Request ? input.redirect : "follow");
  let request = new Request(input, { ...init, redirect: mode === "follow" ? "manual" : mode });
  for (let redirects = 0; ; redirects++) {
    const response = await proxyFetch(request.url, { ...initOf(request), cf: init?.cf });
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (mode !== "follow" || location === null) return toNodeResponse(response, request.url, redirects > 0);
    if (redirects === MAX_REDIRECTS) throw failure(`more than ${MAX_REDIRECTS} redirects`);
    await response.body?.cancel();
    request = redirectRequest(request, { location, status: response.status, body: init?.body ?? null });
  }
}

/** An older Miniflare accepts only its own Request. */
function initOf({ method, headers, body, signal, redirect }: Request): object {
  const sent = { method, headers: [...headers], signal, redirect };
  return body === null ? sent : { ...sent, body, duplex: "half" };
}

function redirectRequest(
  request: Request,
  { location, status, body }: { location: string; status: number; body: RequestInit["body"] },
): Request {
  const url = new URL(location, request.url);
  if (!/^https?:$/.test(url.protocol)) throw failure(`a redirect to ${url.protocol}`);
  const headers = new Headers(request.headers);
  const { method, signal } = request;
  if (url.origin !== new URL(request.url).origin) {
    for (const name of ["authorization", "cookie", "host"]) headers.delete(name);
  }
  const becomesGet = (status === 303 && method !== "GET" && method !== "HEAD") || (status < 303 && method === "POST");
  if (becomesGet || request.body === null) {
    if (becomesGet) for (const name of BODY_HEADERS) headers.delete(name);
    return new Request(url, { method: becomesGet ? "GET" : method, headers, signal, redirect: "manual" });
  }
  if (body === null || body === undefined || body instanceof ReadableStream) {
    throw failure(`a redirect with ${status} needs the body again, and a stream can be sent only once`);
  }
  // The boundary differs in each request.
  if (body instanceof FormData) headers.delete("content-type");
  return new Request(url, { method, headers, body, signal, redirect: "manual" });
}

const BODY_HEADERS = ["content-encoding", "content-language", "content-length", "content-location", "content-type"];

/** Fails like Node's fetch(). */
function failure(reason: string): TypeError {
  return new TypeError("fetch failed", { cause: new Error(`${reason}; pass redirect: "manual" to see it`) });
}

function toNodeResponse(answer: HostResponse, url: string, redirected: boolean): unknown {
  const { body, headers, status, statusText, webSocket } = answer;
  // Node's Response can't have a WebSocket or such a status.
  if (webSocket !== null || status < 200 || status > 599) return answer;
  const response = new Response(body, { status, statusText, headers: [...headers] });
  return Object.defineProperties(response, { url: { value: url.split("#", 1)[0] }, redirected: { value: redirected } });
}
