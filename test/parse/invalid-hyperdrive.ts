/** Mistakes in "hyperdrive", each with the exact message. None of them quotes a password. */

import type { InvalidConfig } from "./invalid-case.ts";

const SERVICES = `"services": { "db": "localhost:5432", "web": "http://localhost:1", "here": "localhost", "away": "remote" }`;
const LOGIN = `"database": "app", "user": "app"`;

export const invalidHyperdrives: InvalidConfig[] = [
  {
    title: "a connection string in place of an entry",
    config: `{ "hyperdrive": { "DB": "postgres://app:secret@localhost/app" } }`,
    expected: [
      'vpc.jsonc:1:25: error: the Hyperdrive entry "DB" is a string, but must be an object [invalid-value]',
      '    Write { "service": "a key of services", "database": "app", "user": "app", "passwordEnv": "DB_PASSWORD" }.',
    ],
  },
  {
    title: "missing fields",
    config: `{ "hyperdrive": { "ORDERS": {} } }`,
    expected: [
      'vpc.jsonc:1:19: error: a Hyperdrive entry lacks "service" [missing-field]',
      '    Add "service": a key of "services".',
      'vpc.jsonc:1:19: error: a Hyperdrive entry lacks "database" [missing-field]',
      '    Add "database": the name of a database.',
      'vpc.jsonc:1:19: error: a Hyperdrive entry lacks "user" [missing-field]',
      '    Add "user": the name of a user.',
      'vpc.jsonc:1:19: error: the Hyperdrive entry "ORDERS" has no password [missing-field]',
      '    Add "passwordEnv": "ORDERS_PASSWORD", and set that variable; or "password", if it is not a secret.',
    ],
  },
  {
    title: "a password that is a number, two passwords, a scheme that is none",
    config: `{ ${SERVICES}, "hyperdrive": {
  "A": { "service": "db", ${LOGIN}, "password": 123456 },
  "B": { "service": "db", ${LOGIN}, "password": "secret", "passwordEnv": "B" },
  "C": { "service": "db", ${LOGIN}, "passwordEnv": "not a name", "scheme": "oracle" }
} }`,
    expected: [
      'vpc.jsonc:2:73: error: "password" is a number, but must be a string [invalid-value]',
      'vpc.jsonc:3:3: error: the Hyperdrive entry "B" has both "password" and "passwordEnv" [two-passwords]',
      "    Remove one of them.",
      'vpc.jsonc:4:76: error: "passwordEnv" is not the name of a variable [invalid-value]',
      '    Write the name of the variable that has the password, such as "C_PASSWORD".',
      'vpc.jsonc:4:100: error: "scheme" is "oracle", but must be "postgresql" or "mysql" [invalid-value]',
    ],
  },
  {
    title: "services that lead to no database",
    config: `{ ${SERVICES}, "hyperdrive": {
  "A": { "service": "dv", ${LOGIN}, "password": "" },
  "B": { "service": "orders-database", ${LOGIN}, "password": "" },
  "C": { "service": "web", ${LOGIN}, "password": "" },
  "D": { "service": "here", ${LOGIN}, "password": "" },
  "E": { "service": "away", ${LOGIN}, "password": "" }
} }`,
    expected: [
      'vpc.jsonc:2:21: error: the service "dv" is not a key of "services" [unknown-service]',
      '    Did you mean "db"?',
      'vpc.jsonc:3:21: error: the service "orders-database" is not a key of "services" [unknown-service]',
      '    Add "orders-database": "localhost:5432" to "services", or name one of "db".',
      'vpc.jsonc:4:21: error: the service "web" has no TCP port, but a Hyperdrive binding needs one [wrong-service]',
      '    Make it a service of "type": "tcp" with a "tcp_port", or write its target as "host:port", without a scheme.',
      'vpc.jsonc:5:21: error: the service "here" has no TCP port, but a Hyperdrive binding needs one [wrong-service]',
      '    Make it a service of "type": "tcp" with a "tcp_port", or write its target as "host:port", without a scheme.',
      'vpc.jsonc:6:21: error: the service "away" is "remote", so it leads to no database on this machine [wrong-service]',
      '    Write a target in place of "remote", such as "localhost:5432".',
    ],
  },
  {
    title: "targets that speak no database's protocol",
    config: `{ "services": { "w": "worker:stand-in", "s": { "respond": {} } }, "hyperdrive": {
  "A": { "service": "w", ${LOGIN}, "password": "" },
  "B": { "service": "s", ${LOGIN}, "password": "" }
} }`,
    expected: [
      'vpc.jsonc:2:21: error: the service "w" leads to a Worker, which a Hyperdrive binding can\'t reach [wrong-target]',
      '    Use a target that speaks the database\'s protocol, such as "localhost:5432".',
      'vpc.jsonc:3:21: error: the service "s" leads to a stand-in, which a Hyperdrive binding can\'t reach [wrong-target]',
      '    Use a target that speaks the database\'s protocol, such as "localhost:5432".',
    ],
  },
];
