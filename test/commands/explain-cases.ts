/**
 * Calls of Workers over every kind of binding, route and target. Each case runs in `explain` and in a live Worker,
 * and both must agree.
 */

import type { VpcConfig } from "../../plugin/config.ts";
import { TUNNEL } from "../setup/test-worker.ts";

/** The addresses of the test's servers, or the path of a socket. */
export interface Places {
  plain: string;
  second: string;
  tls: string;
  selfSigned: string;
  tcp: string;
  socket: string;
  /** A PEM file. */
  ca: string;
}

export const OTHER_TUNNEL = "0f3c8d4e-7b1a-4c57-9e58-2a6d1f0b9c33";

/** Bindings of the Worker: `type` and id as in a Miniflare config. */
export const explainBindings: Record<string, { type: "vpc-service" | "vpc-network"; id: string }> = {
  NET: { type: "vpc-network", id: TUNNEL },
  OTHER: { type: "vpc-network", id: OTHER_TUNNEL },
  MESH: { type: "vpc-network", id: "cf1:network" },
  LOST_NET: { type: "vpc-network", id: "00000000-0000-4000-8000-000000000001" },
  SHORT: { type: "vpc-service", id: "00000000-0000-4000-8000-000000000002" },
  RECORD: { type: "vpc-service", id: "00000000-0000-4000-8000-000000000003" },
  SECURE: { type: "vpc-service", id: "00000000-0000-4000-8000-000000000004" },
  DUAL: { type: "vpc-service", id: "00000000-0000-4000-8000-000000000005" },
  DATABASE: { type: "vpc-service", id: "00000000-0000-4000-8000-000000000006" },
  LOST: { type: "vpc-service", id: "00000000-0000-4000-8000-000000000007" },
  NOWHERE: { type: "vpc-service", id: "00000000-0000-4000-8000-000000000008" },
};

export function explainConfig({ plain, second, tls, selfSigned, tcp, socket, ca }: Places): VpcConfig {
  const resolver = { resolver_network: { tunnel_id: TUNNEL } };
  return {
    ca: [ca],
    services: {
      SHORT: plain,
      RECORD: { name: "users", type: "http", http_port: 8080, host: { hostname: "users.internal", ...resolver } },
      SECURE: {
        name: "secure",
        type: "http",
        https_port: 8443,
        host: { hostname: "secure.internal", ...resolver },
        tls_settings: { cert_verification_mode: "verify_ca" },
      },
      DUAL: {
        name: "dual",
        type: "http",
        http_port: 80,
        host: { ipv4: "192.168.0.1", ipv6: "fd00::1", network: { tunnel_id: TUNNEL } },
      },
      DATABASE: { name: "db", type: "tcp", tcp_port: 5432, host: { hostname: "db.internal", ...resolver } },
      NOWHERE: {
        name: "nowhere",
        type: "http",
        host: { hostname: "a.nowhere", resolver_network: { tunnel_id: "00000000-0000-4000-8000-00000000000f" } },
      },
    },
    networks: {
      [TUNNEL]: {
        routes: {
          "users.internal": plain,
          "users.internal:9000-9999": second,
          "users.internal:9001": { deny: "rate_limited" },
          "*.internal": second,
          "secure.internal": tls,
          "secure.internal:8080": `http://${plain}`,
          "named.internal": `https://${tls}`,
          "name-target.internal": plain.replace("127.0.0.1", "localhost"),
          "db.internal:5432": tcp,
          "db.example:5432": tcp,
          "socket.internal": `unix:${socket}`,
          "worker.internal": "worker:stand-in",
          "function.internal": {
            fetch: ({ headers }) => new Response(`function ${headers.get("host")}`),
            connect: (stream) => void stream.end("function"),
          },
          "denied.internal": { deny: "http_request_denied" },
          "10.0.0.0/8": plain,
          "10.1.0.0/16": second,
          "10.1.2.3:81": tcp,
          "10.9.0.0/16": { deny: "destination_ip_prohibited" },
          "fd00::/8": plain,
          "fd00::1": second,
          "10.7.0.1": tls,
          "self-signed.internal": { target: selfSigned, tls_settings: { cert_verification_mode: "disabled" } },
          "limited.internal": { target: plain, readTimeout: 60_000 },
          "limited.internal:5432": { target: tcp, connectionLimit: 9 },
          "127.0.0.1": "passthrough",
        },
      },
      [OTHER_TUNNEL]: {
        routes: { "users.internal": second, "only-here.internal": plain },
        readTimeout: 5000,
      },
      "cf1:network": {
        routes: {
          "*": second,
          "*:443": { target: tls, tls_settings: { cert_verification_mode: "verify_ca" } },
          "*:5432": tcp,
          "*:25": { deny: "http_request_denied" },
          "partial.example:81": plain,
        },
      },
    },
  };
}

/** `PLAIN` and `TCP` are placeholders for the addresses of those servers. */
export const explainCases: [binding: string, asked: string][] = [
  // Names: exact before wildcard; a port before a range, and a range before no port.
  ["NET", "http://users.internal/"],
  ["NET", "http://USERS.internal.:80/"],
  ["NET", "http://users.internal:9000/"],
  ["NET", "http://users.internal:9001/"],
  ["NET", "http://other.internal/path?query"],
  ["NET", "http://a.b.internal/"],
  ["NET", "http://internal/"],
  ["NET", "http://denied.internal/"],
  ["NET", "http://name-target.internal/"],
  // Addresses: the longest prefix, in any spelling.
  ["NET", "http://10.2.0.1/"],
  ["NET", "http://10.1.0.1:8080/"],
  ["NET", "http://0x0a.1.2.3/"],
  ["NET", "http://[::ffff:10.1.0.1]/"],
  ["NET", "http://10.9.1.1/"],
  ["NET", "http://11.0.0.1/"],
  ["NET", "http://[fd00::1]/"],
  ["NET", "http://[fd00::2]:8080/"],
  ["NET", "http://[2001:db8::1]/"],
  ["NET", "http://PLAIN/"],
  // TLS, and targets whose scheme differs from the URL's.
  ["NET", "https://secure.internal/"],
  ["NET", "https://secure.internal:8443/"],
  ["NET", "https://secure.internal:8080/"],
  ["NET", "http://named.internal/"],
  ["NET", "https://10.7.0.1/"],
  // Routes with their own settings.
  ["NET", "https://self-signed.internal/"],
  ["NET", "http://limited.internal/"],
  ["NET", "limited.internal:5432"],
  // Other kinds of target.
  ["NET", "http://worker.internal/"],
  ["NET", "https://worker.internal/"],
  ["NET", "http://function.internal/"],
  ["NET", "http://socket.internal/"],
  // connect()
  ["NET", "db.internal:5432"],
  ["NET", "db.example:5433"],
  ["NET", "10.1.2.3:81"],
  ["NET", "function.internal:1"],
  ["NET", "worker.internal:1"],
  ["NET", "users.internal:9001"],
  ["NET", "nothing.example:80"],
  ["NET", "11.0.0.1:22"],
  ["NET", "TCP"],
  // Another network, and the union of all networks.
  ["OTHER", "http://users.internal/"],
  ["OTHER", "http://other.internal/"],
  ["MESH", "http://users.internal/"],
  ["MESH", "http://only-here.internal/"],
  ["MESH", "db.internal:5432"],
  // What no other route holds.
  ["MESH", "http://www.example.com/"],
  ["MESH", "http://partial.example/"],
  ["MESH", "http://partial.example:81/"],
  ["MESH", "http://a.b.internal/"],
  ["MESH", "http://9.9.9.9/"],
  ["MESH", "http://[2001:db8::1]:8080/"],
  ["MESH", "https://secure.example/"],
  ["MESH", "www.example.com:5432"],
  ["MESH", "9.9.9.9:25"],
  ["MESH", "http://10.9.1.1/"],
  // VPC Services: the record's host and port are used.
  ["SHORT", "http://anything.example:1234/"],
  ["RECORD", "http://anything.example/"],
  ["RECORD", "http://10.9.0.1:9001/"],
  ["RECORD", "https://users.internal/"],
  ["RECORD", "users.internal:80"],
  ["SECURE", "https://secure.example/"],
  ["SECURE", "http://secure.internal/"],
  ["DUAL", "http://dual.example/"],
  ["DATABASE", "anything.example:1"],
  ["DATABASE", "http://db.internal/"],
  ["NOWHERE", "http://a.nowhere/"],
  // No entry.
  ["LOST", "http://users.internal/"],
  ["LOST_NET", "http://users.internal/"],
  ["LOST_NET", "users.internal:80"],
];
