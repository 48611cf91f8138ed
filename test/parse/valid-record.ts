/** Valid records of VPC Services: the JSON after the "name", and the resulting service. */

import type { Service } from "../../service-worker/routing/table.ts";
import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";

const NETWORK = `"network": { "tunnel_id": "${TUNNEL_ID}" }`;
const RESOLVER = `"resolver_network": { "tunnel_id": "${TUNNEL_ID}" }`;

export const validRecords: [title: string, fields: string, service: Partial<Service>][] = [
  [
    "http without ports",
    `"type": "http", "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1"], httpPort: 80, httpsPort: 443 },
  ],
  [
    "http_port alone",
    `"type": "http", "http_port": 8080, "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1"], httpPort: 8080 },
  ],
  [
    "https_port alone, null beside it",
    `"type": "http", "http_port": null, "https_port": 8443, "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1"], httpsPort: 8443 },
  ],
  [
    "both ports",
    `"type": "http", "http_port": 1, "https_port": 65535, "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1"], httpPort: 1, httpsPort: 65_535 },
  ],
  [
    "ipv6",
    `"type": "http", "http_port": 80, "host": { "ipv6": "FD00:0::1", ${NETWORK} }`,
    { type: "http", hosts: ["fd00::1"], httpPort: 80 },
  ],
  [
    "ipv4 and ipv6, in this order",
    `"type": "http", "http_port": 80, "host": { "ipv6": "fd00::1", "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1", "fd00::1"], httpPort: 80 },
  ],
  [
    "hostname",
    `"type": "http", "http_port": 80, "host": { "hostname": "My_Users.internal.", ${RESOLVER} }`,
    { type: "http", hosts: ["my_users.internal"], httpPort: 80 },
  ],
  [
    "hostname, null in all other fields of the host",
    `"type": "http", "http_port": 80, "host": { "ipv4": null, "ipv6": null, "network": null, "hostname": "a.internal", ${RESOLVER} }`,
    { type: "http", hosts: ["a.internal"], httpPort: 80 },
  ],
  [
    "ipv4, null in all other fields of the host",
    `"type": "http", "http_port": 80, "host": { "ipv4": "10.0.0.1", "ipv6": null, "hostname": null, "resolver_network": null, ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1"], httpPort: 80 },
  ],
  [
    "hostname localhost, resolvers null",
    `"type": "http", "http_port": 80, "host": { "hostname": "localhost", "resolver_network": { "tunnel_id": "${TUNNEL_ID}", "resolver_ips": null } }`,
    { type: "http", hosts: ["localhost"], httpPort: 80 },
  ],
  [
    "resolvers",
    `"type": "http", "http_port": 80, "host": { "hostname": "a", "resolver_network": { "tunnel_id": "${TUNNEL_ID}", "resolver_ips": ["10.0.0.53", "fd00::53"] } }`,
    { type: "http", hosts: ["a"], httpPort: 80 },
  ],
  [
    "a tunnel id in capitals",
    `"type": "http", "http_port": 80, "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "${TUNNEL_ID.toUpperCase()}" } }`,
    { type: "http", hosts: ["10.0.0.1"], httpPort: 80 },
  ],
  [
    "tcp",
    `"type": "tcp", "tcp_port": 5432, "app_protocol": "postgresql", "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "tcp", hosts: ["10.0.0.1"], tcpPort: 5432 },
  ],
  [
    "tcp with the port in the hostname",
    `"type": "tcp", "host": { "hostname": "db.internal:3306", ${RESOLVER} }, "app_protocol": "mysql"`,
    { type: "tcp", hosts: ["db.internal"], tcpPort: 3306 },
  ],
  [
    "tcp with the port in both places",
    `"type": "tcp", "tcp_port": 3306, "host": { "hostname": "db.internal:3306", ${RESOLVER} }`,
    { type: "tcp", hosts: ["db.internal"], tcpPort: 3306 },
  ],
  [
    "tls_settings",
    `"type": "http", "https_port": 443, "tls_settings": { "cert_verification_mode": "disabled" }, "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1"], httpsPort: 443 },
  ],
  [
    "an API response",
    `"service_id": "${SERVICE_ID}", "type": "http", "http_port": 80, "https_port": null, "tls_settings": null,
       "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "http", hosts: ["10.0.0.1"], httpPort: 80 },
  ],
  [
    "tcp from an API response",
    `"type": "tcp", "tcp_port": 1, "app_protocol": null, "tls_settings": null, "host": { "ipv4": "10.0.0.1", ${NETWORK} }`,
    { type: "tcp", hosts: ["10.0.0.1"], tcpPort: 1 },
  ],
];
