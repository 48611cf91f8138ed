/**
 * The default ports of protocols over TCP, by the scheme of their URLs. They fill in messages and guesses, and never
 * decide where a connection goes.
 */

export const SCHEME_PORTS = {
  amqp: 5672,
  amqps: 5671,
  ftp: 21,
  imap: 143,
  imaps: 993,
  kafka: 9092,
  ldap: 389,
  ldaps: 636,
  mariadb: 3306,
  memcached: 11_211,
  mongodb: 27_017,
  mqtt: 1883,
  mqtts: 8883,
  mssql: 1433,
  mysql: 3306,
  nats: 4222,
  postgres: 5432,
  postgresql: 5432,
  redis: 6379,
  rediss: 6379,
  sftp: 22,
  smtp: 25,
  smtps: 465,
  sqlserver: 1433,
  ssh: 22,
  valkey: 6379,
  valkeys: 6379,
} as const;

/** @param scheme in lower case, without its colon */
export function portOfScheme(scheme: string): number | undefined {
  return Object.entries(SCHEME_PORTS).find(([known]) => known === scheme)?.[1];
}
