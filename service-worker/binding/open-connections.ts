/** Counts the open connections of each request in the user's Worker, and warns once when production would queue one. */

/** https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections */
const MAX_OPEN = 6;

/** Requests that are remembered at once. A request that ends early never reports its connections closed. */
const MAX_REQUESTS = 32;

interface OpenRequest {
  /** Readable only in the request that made it: the runtime has no other name for a request here. */
  probe: WebSocket;
  open: number;
}

const requests: OpenRequest[] = [];
let hasWarned = false;

/** @param closed settles when the connection is over */
export function countOpen(closed: Promise<unknown>): void {
  // Differs from production: the seventh connection is not queued.
  if (hasWarned) return;
  const request = requests.findLast(isCurrent) ?? remember();
  request.open++;
  if (request.open > MAX_OPEN) {
    hasWarned = true;
    requests.length = 0;
    console.warn(
      `A request has ${request.open} connections of connect() open at once. Production allows ${MAX_OPEN} per request and queues the rest. (warned once)`,
    );
    return;
  }
  const end = (): void => {
    request.open--;
  };
  closed.then(end, end);
}

function remember(): OpenRequest {
  const request = { probe: new WebSocketPair()[0], open: 0 };
  requests.push(request);
  if (requests.length > MAX_REQUESTS) requests.shift();
  return request;
}

function isCurrent({ probe }: OpenRequest): boolean {
  try {
    return probe.readyState >= 0;
  } catch {
    return false;
  }
}
