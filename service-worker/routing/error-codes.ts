/**
 * The only table of errors that a VPC binding can throw. The union type, the thrown message, the terminal's
 * lines and the table in the docs all derive from it. Pure: runs in workerd and in Node.
 *
 * Source: RFC 9209 §2.3 (proxy error types) and the Workers VPC error reference (`rate_limited`).
 */

export type ErrorGroup = "Bad Upstream" | "Client" | "Internal";

interface ErrorEntry {
  /** The group that the Cloudflare dashboard counts it in. */
  readonly group: ErrorGroup;
  /** What happened, as a clause. */
  readonly summary: string;
  /** What a developer does about it on this machine. */
  readonly hint: string;
}

export const PROXY_ERRORS = {
  connection_refused: {
    group: "Bad Upstream",
    summary: "the target refused the connection",
    hint: "Start the service, or change the target if it listens elsewhere.",
  },
  connection_terminated: {
    group: "Bad Upstream",
    summary: "the target closed the connection before it answered",
    hint: "Look at the service's own log for why it closed the connection.",
  },
  connection_timeout: {
    group: "Bad Upstream",
    summary: "the target did not accept a connection in time",
    hint: 'Check that the host is up and its port is not filtered; "connectTimeout" sets the limit.',
  },
  connection_limit_reached: {
    group: "Bad Upstream",
    summary: "too many connections are open to the target",
    hint: 'Close sockets that are no longer used, or raise "connectionLimit".',
  },
  destination_unavailable: {
    group: "Bad Upstream",
    summary: "the target can't serve this call",
    hint: "Give the function or Worker a handler for it, or change the route's target.",
  },
  destination_not_found: {
    group: "Bad Upstream",
    summary: "no route leads to this destination",
    hint: "Add a route for it to the network in the vpc config.",
  },
  destination_ip_prohibited: {
    group: "Bad Upstream",
    summary: "a rule forbids this address",
    hint: "Change the rule to let traffic through.",
  },
  destination_ip_unroutable: {
    group: "Bad Upstream",
    summary: "no route leads to this address",
    hint: "Add a route for the address, or for a CIDR that contains it, to the network in the vpc config.",
  },
  proxy_loop_detected: {
    group: "Bad Upstream",
    summary: "the request came back to a Worker that is already waiting for it",
    hint: 'The Worker calls itself: change the route\'s target. "workerLimit" sets how many calls may be in flight.',
  },
  dns_error: {
    group: "Bad Upstream",
    summary: "the target's name could not be resolved",
    hint: "Correct the host name of the target, or add it to this machine's hosts file.",
  },
  dns_timeout: {
    group: "Bad Upstream",
    summary: "the name server did not answer in time",
    hint: 'Check the name server, use an address as the target, or raise "dnsTimeout".',
  },
  tls_protocol_error: {
    group: "Bad Upstream",
    summary: "the TLS handshake with the target failed",
    hint: 'Check that the target speaks TLS. If it speaks plain HTTP, write "http://host:port".',
  },
  tls_certificate_error: {
    group: "Bad Upstream",
    summary: "the target's certificate was not accepted",
    hint: 'Name its root in "ca", or relax "cert_verification_mode" as production does.',
  },
  http_request_error: {
    group: "Bad Upstream",
    summary: "the request could not be sent to the target",
    hint: "Look at the request's headers and body.",
  },
  http_upgrade_failed: {
    group: "Bad Upstream",
    summary: "the target did not accept the upgrade",
    hint: "Check that the target serves WebSockets (or whatever was asked for) at this path.",
  },
  http_request_denied: {
    group: "Bad Upstream",
    summary: "the request is not allowed on this binding",
    hint: "Use a scheme and method that the service's record allows.",
  },
  http_protocol_error: {
    group: "Bad Upstream",
    summary: "the target's answer is not HTTP",
    hint: "Check that the target's port serves HTTP and not another protocol.",
  },
  http_response_incomplete: {
    group: "Bad Upstream",
    summary: "the target's answer ended too early",
    hint: "Look at the service's own log: it stopped in the middle of a response.",
  },
  connection_read_timeout: {
    group: "Client",
    summary: "the target did not send data in time",
    hint: 'Look at why the service is slow, or raise "readTimeout".',
  },
  connection_write_timeout: {
    group: "Client",
    summary: "the target did not take data in time",
    hint: 'Look at why the service stopped reading, or raise "writeTimeout".',
  },
  rate_limited: {
    group: "Client",
    summary: "the binding's rate limit is reached",
    hint: 'Send fewer calls, or raise "rateLimit".',
  },
  proxy_internal_error: {
    group: "Internal",
    summary: "the local proxy failed",
    hint: "This is a fault or a gap of miniflare-vpc itself.",
  },
} as const;
PROXY_ERRORS satisfies Record<string, ErrorEntry>;

export type ProxyErrorCode = keyof typeof PROXY_ERRORS;

export const PROXY_ERROR_CODES: readonly ProxyErrorCode[] = Object.keys(PROXY_ERRORS).filter(isProxyErrorCode);

export function isProxyErrorCode(text: string): text is ProxyErrorCode {
  return Object.hasOwn(PROXY_ERRORS, text);
}

/** The text that a Worker sees and may match on. It prints as `Error: ProxyError: dns_error`. */
export function proxyErrorMessage(code: ProxyErrorCode): string {
  return `ProxyError: ${code}`;
}

/** The failure's text for a 101 that the request did not ask for. */
export const UNASKED_UPGRADE = "the target upgraded a request that did not ask for it";
