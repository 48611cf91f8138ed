/** Invalid records of VPC Services, each with its exact message. */

import type { InvalidConfig } from "./invalid-case.ts";

export const invalidRecords: InvalidConfig[] = [
  {
    title: "all fields missing",
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
    title: "all fields of the wrong type",
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
      'vpc.jsonc:3:5: error: "tcp_port" cannot be used with "type": "http" [wrong-service-type]',
      '    Remove it, or make the service "type": "tcp".',
      'vpc.jsonc:3:23: error: "app_protocol" cannot be used with "type": "http" [wrong-service-type]',
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
      'vpc.jsonc:3:5: error: "http_port" cannot be used with "type": "tcp" [wrong-service-type]',
      '    Remove it, or make the service "type": "http".',
      'vpc.jsonc:3:22: error: "https_port" cannot be used with "type": "tcp" [wrong-service-type]',
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
    title: "tcp with the port null",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "tcp_port": null } }
}`,
    expected: [
      'vpc.jsonc:2:17: error: a service of "type": "tcp" lacks "tcp_port" [missing-field]',
      '    Add "tcp_port": a whole number from 1 to 65535.',
    ],
  },
  {
    title: "tcp with an invalid port",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "tcp_port": 0 } }
}`,
    expected: ['vpc.jsonc:2:167: error: "tcp_port" is 0, but must be a whole number from 1 to 65535 [invalid-value]'],
  },
  {
    title: "tcp with two different ports",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "tcp_port": 5432,
    "host": { "hostname": "db.internal:5433", "resolver_network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } } }
}`,
    expected: [
      'vpc.jsonc:2:67: error: "tcp_port" is 5432, but the hostname has the port 5433 [ports-differ]',
      "    Write the port in one place only.",
    ],
  },
  {
    title: "tcp with an invalid port in the hostname",
    config: `{ "services": { "API": {
  "name": "api", "type": "tcp", "tcp_port": 1, "target": "localhost",
  "host": { "hostname": "db.internal:pg", "resolver_network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } } } } }`,
    expected: [
      'vpc.jsonc:3:25: error: "db.internal:pg" is not a host name: it has the port "pg", which is not a number [invalid-hostname]',
      '    Write "db.internal"; the port goes into "tcp_port".',
    ],
  },
  {
    title: "a service_id that differs from the key",
    config: `{ "services": { "e6a0817c-79c5-40ca-9776-a1c019defe70": { "name": "api", "type": "http", "target": "localhost:1",
  "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } },
  "service_id": "550e8400-e29b-41d4-a716-446655440000" } } }`,
    expected: [
      'vpc.jsonc:3:17: warning: "service_id" is "550e8400-e29b-41d4-a716-446655440000", but the key of the record is "e6a0817c-79c5-40ca-9776-a1c019defe70" [service-id-differs]',
      "    The key wins. Correct it if the record belongs to the other service.",
    ],
  },
  {
    title: "a tcp service with a target for http",
    config: `{
  "services": { "API": { "name": "db", "type": "tcp", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "tcp_port": 1, "target": "http://localhost" } }
}`,
    expected: [
      `vpc.jsonc:2:180: error: the target's scheme "http://" cannot be used with "type": "tcp" [wrong-target]`,
      '    Write the target as "host:port".',
    ],
  },
  {
    title: "an invalid target",
    config: `{
  "services": { "API": { "name": "api", "type": "http", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } }, "target": "localhost:port" } }
}`,
    expected: [
      'vpc.jsonc:2:167: error: the target "localhost:port" has the port "port", which is not a number [invalid-target]',
      '    A target is "localhost:3000", "unix:path", "http://localhost:3000", "worker:NAME", "passthrough", "openapi:FILE", "har:FILE", { "respond": … } or { "deny": code }.',
    ],
  },
  {
    title: 'certificates that "certificates" does not have',
    config: `{
  "services": { "API": { "name": "api", "type": "http", "host": { "ipv4": "10.0.0.1", "network": { "tunnel_id": "550e8400-e29b-41d4-a716-446655440000" } },
    "target": "localhost:1",
    "tls_settings": { "cert_verification_mode": "verify_full",
      "certificate_authority": "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90",
      "client_certificate": "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f" } } }
}`,
    expected: [
      `vpc.jsonc:5:7: warning: "certificate_authority" is "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90", which "certificates" doesn't have: the usual roots are trusted in its place [missing-certificate]`,
      '    Add "certificates": { "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90": { "ca": "./authority.pem" }, "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f": { "cert": "./client.pem", "key": "./client.key" } } to this file.',
      `vpc.jsonc:6:7: warning: "client_certificate" is "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f", which "certificates" doesn't have: no client certificate is presented [missing-certificate]`,
      '    Add "certificates": { "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90": { "ca": "./authority.pem" }, "b0d4e3f2-9c8b-4d7a-8e6f-1a2b3c4d5e6f": { "cert": "./client.pem", "key": "./client.key" } } to this file.',
    ],
  },
  {
    title: "the same in a service that is just a target",
    config: `{
  "services": { "API": { "target": "https://localhost:1",
    "tls_settings": { "cert_verification_mode": "verify_full",
      "certificate_authority": "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90" } } }
}`,
    expected: [
      `vpc.jsonc:4:7: warning: "certificate_authority" is "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90", which "certificates" doesn't have: the usual roots are trusted in its place [missing-certificate]`,
      '    Add "certificates": { "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90": { "ca": "./authority.pem" } } to this file.',
    ],
  },
  {
    title: "a certificate authority without verification",
    config: `{
  "services": { "API": { "target": "localhost:1",
    "tls_settings": { "cert_verification_mode": "disabled",
      "certificate_authority": "5f2a7c1e-0b1d-4a8e-9f35-6f1c8a7d2b90" } } }
}`,
    expected: [
      'vpc.jsonc:4:7: error: "certificate_authority" cannot be used with "cert_verification_mode": "disabled" [authority-unused]',
      '    Production refuses it. Write "verify_full" or "verify_ca", or remove the authority.',
    ],
  },
  {
    title: "certificates without a mode, and an invalid id",
    config: `{
  "services": { "API": { "target": "localhost:1",
    "tls_settings": { "certificate_authority": "root", "client_certificate": null } } }
}`,
    expected: [
      'vpc.jsonc:3:5: error: "tls_settings" lacks "cert_verification_mode" [missing-field]',
      '    Add "cert_verification_mode": "verify_full", "verify_ca" or "disabled".',
      'vpc.jsonc:3:48: error: "certificate_authority" is "root", but must be a uuid [invalid-value]',
    ],
  },
  {
    title: "certificates of a network, which production doesn't have either",
    config: `{
  "networks": { "NET": { "tls_settings": { "cert_verification_mode": "verify_ca",
    "client_certificate": null } } }
}`,
    expected: [
      'vpc.jsonc:3:5: error: "client_certificate" is not a field of "tls_settings" [unknown-field]',
      "    Valid fields: cert_verification_mode.",
    ],
  },
];
