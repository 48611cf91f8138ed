/** Configs that are refused, each with the exact text a developer reads. Records of VPC Services. */

import type { InvalidConfig } from "./invalid-config.ts";

export const invalidRecords: InvalidConfig[] = [
  {
    title: "everything missing",
    config: `{
  "services": { "API": { "created_at": "2026-01-01" } }
}`,
    expected: [
      'vpc.jsonc:2:17: error: a service lacks "name" [missing-field]',
      '    Add "name": a string.',
      'vpc.jsonc:2:17: error: a service lacks "type" [missing-field]',
      '    Add "type": "http" or "tcp".',
      'vpc.jsonc:2:17: error: a service lacks "host" [missing-field]',
      '    Add "host": an object.',
    ],
  },
  {
    title: "wrong types of everything",
    config: `{
  "services": { "API": { "name": "", "type": "udp", "host": "10.0.0.1",
    "http_port": "80", "https_port": 70000, "tls_settings": { "cert_verification_mode": "none" },
    "service_id": "1", "created_at": 5, "app_protocol": "redis" } }
}`,
    expected: [
      'vpc.jsonc:2:34: error: "name" is "", but must be a string that is not empty [invalid-value]',
      'vpc.jsonc:2:46: error: "type" is "udp", but must be "http" or "tcp" [invalid-value]',
      'vpc.jsonc:2:61: error: "host" is "10.0.0.1", but must be an object [invalid-value]',
      'vpc.jsonc:3:18: error: "http_port" is "80", but must be a whole number from 1 to 65535 [invalid-value]',
      'vpc.jsonc:3:38: error: "https_port" is 70000, but must be a whole number from 1 to 65535 [invalid-value]',
      'vpc.jsonc:3:89: error: "cert_verification_mode" is "none", but must be "verify_full", "verify_ca" or "disabled" [invalid-value]',
      'vpc.jsonc:4:19: error: "service_id" is "1", but must be a uuid [invalid-value]',
      'vpc.jsonc:4:38: error: "created_at" is 5, but must be a string [invalid-value]',
      'vpc.jsonc:4:57: error: "app_protocol" is "redis", but must be "postgresql" or "mysql" [invalid-value]',
    ],
  },
  {
    title: "fields of the other type of service: http",
    config: `{
  "services": { "API": { "name": "api", "type": "http", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } },
    "tcp_port": 5432, "app_protocol": "mysql" } }
}`,
    expected: [
      'vpc.jsonc:3:5: error: "tcp_port" does not go with "type": "http" [wrong-service-type]',
      '    Remove it, or make the service "type": "tcp".',
      'vpc.jsonc:3:23: error: "app_protocol" does not go with "type": "http" [wrong-service-type]',
      '    Remove it, or make the service "type": "tcp".',
    ],
  },
  {
    title: "fields of the other type of service: tcp",
    config: `{
  "services": { "API": { "name": "api", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "tcp_port": 5432,
    "http_port": 80, "https_port": 443 } }
}`,
    expected: [
      'vpc.jsonc:3:5: error: "http_port" does not go with "type": "tcp" [wrong-service-type]',
      '    Remove it, or make the service "type": "http".',
      'vpc.jsonc:3:22: error: "https_port" does not go with "type": "tcp" [wrong-service-type]',
      '    Remove it, or make the service "type": "http".',
    ],
  },
  {
    title: "tcp without a port",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } } }
}`,
    expected: [
      'vpc.jsonc:2:17: error: a service of "type": "tcp" lacks "tcp_port" [missing-field]',
      '    Add "tcp_port": a whole number from 1 to 65535.',
    ],
  },
  {
    title: "tcp with a port that is null",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "tcp_port": null } }
}`,
    expected: [
      'vpc.jsonc:2:17: error: a service of "type": "tcp" lacks "tcp_port" [missing-field]',
      '    Add "tcp_port": a whole number from 1 to 65535.',
    ],
  },
  {
    title: "tcp with a port that is no port",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "tcp_port": 0 } }
}`,
    expected: ['vpc.jsonc:2:167: error: "tcp_port" is 0, but must be a whole number from 1 to 65535 [invalid-value]'],
  },
  {
    title: "tcp with two ports that differ",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "tcp_port": 5432,
    "host": { "hostname": "db.internal:5433", "resolver_network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } } }
}`,
    expected: [
      'vpc.jsonc:2:67: error: "tcp_port" is 5432, but the hostname says :5433 [ports-differ]',
      "    Give the port in one place only.",
    ],
  },
  {
    title: "tcp with a port in the hostname that is no port",
    config: `{ "services": { "API": {
  "name": "api", "type": "tcp", "tcp_port": 1, "target": "localhost",
  "host": { "hostname": "db.internal:pg", "resolver_network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } } } }`,
    expected: [
      'vpc.jsonc:3:25: error: "db.internal:pg" is not a host name: it has the port "pg", which is not a number [invalid-hostname]',
      '    Write "db.internal"; the port goes into "tcp_port".',
    ],
  },
  {
    title: "a service_id that is another than the key",
    config: `{ "services": { "e6a0817c-79c5-40ca-9776-a1c019defe70": { "name": "api", "type": "http", "target": "localhost:1",
  "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } },
  "service_id": "550e8400-e29b-41d4-a716-446655440000" } } }`,
    expected: [
      'vpc.jsonc:3:17: warning: "service_id" is "550e8400-e29b-41d4-a716-446655440000", but the record stands under "e6a0817c-79c5-40ca-9776-a1c019defe70" [service-id-differs]',
      "    The key counts; correct it if the record belongs to the other service.",
    ],
  },
  {
    title: "a tcp service with a target for http",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "tcp_port": 1, "target": "http://localhost" } }
}`,
    expected: [
      `vpc.jsonc:2:180: error: the target's scheme "http://" does not go with "type": "tcp" [wrong-target]`,
      '    Write the target as "host:port".',
    ],
  },
  {
    title: "a bad target",
    config: `{
  "services": { "API": { "name": "api", "type": "http", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "target": "localhost:port" } }
}`,
    expected: [
      'vpc.jsonc:2:167: error: the target "localhost:port" has the port "port", which is not a number [invalid-target]',
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough" or { "deny": code }.',
    ],
  },
];
