/** The database that a compose service runs, from its image, its port and its environment. Reads no password. */

import { type ComposeMap, childOf, textOf, textsOf } from "../compose/compose-node.ts";
import type { DatabaseLogin } from "../model.ts";
import { SCHEME_PORTS } from "../parse/scheme-ports.ts";

export type ComposeDatabase = Omit<DatabaseLogin, "password">;

const IMAGES = { mysql: /mysql|mariadb|percona/i, postgresql: /postgres|postgis|pgvector|timescale/i };

/** @returns undefined if the service is no database that Hyperdrive knows */
export function composeDatabase(map: ComposeMap, containerPort: number): ComposeDatabase | undefined {
  const image = textOf(map, "image")?.text ?? "";
  const variable = (...names: string[]): string | undefined =>
    names.map((name) => variablesOf(map).get(name)).find((value) => value !== undefined && value !== "");
  if (containerPort === SCHEME_PORTS.mysql || IMAGES.mysql.test(image)) {
    const database = variable("MYSQL_DATABASE", "MARIADB_DATABASE") ?? "app";
    return { scheme: "mysql", database, user: variable("MYSQL_USER", "MARIADB_USER") ?? "root" };
  }
  if (containerPort === SCHEME_PORTS.postgres || IMAGES.postgresql.test(image)) {
    const user = variable("POSTGRES_USER") ?? "postgres";
    return { scheme: "postgresql", database: variable("POSTGRES_DB") ?? user, user };
  }
  return undefined;
}

/** `environment` is a map, or a list of `NAME=value`. */
function variablesOf(map: ComposeMap): Map<string, string> {
  const node = childOf(map, "environment");
  if (node?.type === "map") {
    return new Map([...node.entries.keys()].map((name) => [name, textOf(node, name)?.text ?? ""]));
  }
  return new Map(
    textsOf(node).map(({ text }) => {
      const [name = "", ...value] = text.split("=");
      return [name, value.join("=")];
    }),
  );
}
