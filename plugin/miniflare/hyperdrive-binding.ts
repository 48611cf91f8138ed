/** The Hyperdrive bindings of an instance: what its Workers see, and what Node sees. */

import type { Worker_Binding as WorkerBinding } from "miniflare";
import { bindingKey } from "../../service-worker/routing/table.ts";
import type { DoorOf } from "../hyperdrive/connection.ts";
import type { HyperdriveDoors } from "../hyperdrive/doors.ts";
import type { LoadedTable } from "../load.ts";
import type { DatabaseLogin } from "../model.ts";
import type { Instance } from "./read-instance.ts";
import { HYPERDRIVE_MODULE, doorName } from "./services.ts";

/** For a binding without an entry, whose every connection is refused. Miniflare would show it as it is. */
export const NO_LOGIN: DatabaseLogin = { scheme: "postgresql", database: "none", user: "none", password: "none" };

/** To be completed by `takeOverHyperdrive`. */
export function emptyHyperdrive(bindingName: string, key: string): WorkerBinding {
  return { name: bindingName, hyperdrive: { designator: { name: doorName(key) }, ...NO_LOGIN } };
}

/** Turns a Worker's binding into ours in place, whatever it was. */
export function takeOverHyperdrive(
  binding: WorkerBinding,
  { key, login, canWrap }: { key: string; login: DatabaseLogin; canWrap: boolean },
): void {
  const designator = { name: doorName(key) };
  for (const member of ["service", "hyperdrive"]) Reflect.deleteProperty(binding, member);
  const encoded = encodeLogin(login);
  const isPlain = Object.values(login).join(" ") === Object.values(encoded).join(" ");
  if (isPlain || !canWrap) {
    // Its connection string is right then, but not the fields of a login that must be encoded.
    Object.assign(binding, { hyperdrive: { designator, ...encoded } });
    return;
  }
  const innerBindings: WorkerBinding[] = [
    { name: "native", hyperdrive: { designator, ...login } },
    { name: "scheme", text: login.scheme },
  ];
  Object.assign(binding, { wrapped: { moduleName: HYPERDRIVE_MODULE, innerBindings } });
}

function encodeLogin({ scheme, database, user, password }: DatabaseLogin): DatabaseLogin {
  return {
    scheme,
    database: encodeURIComponent(database),
    user: encodeURIComponent(user),
    password: encodeURIComponent(password),
  };
}

/** What Node gets: a login with which a client library of Node can connect. */
export interface NodeHyperdrive extends Omit<DatabaseLogin, "scheme"> {
  connectionString: string;
  host: string;
  port: number;
}

export async function hyperdriveForNode(
  key: string,
  login: DatabaseLogin,
  doors: HyperdriveDoors,
): Promise<NodeHyperdrive> {
  const port = await doors.openForNode(key);
  const host = "127.0.0.1";
  const { scheme, user, password, database } = encodeLogin(login);
  // In Workers, each has it. A client library of MySQL in Node warns about it.
  const options = scheme === "postgresql" ? "?sslmode=disable" : "";
  const connectionString = `${scheme}://${user}:${password}@${host}:${port}/${database}${options}`;
  return { connectionString, host, port, user: login.user, password: login.password, database: login.database };
}

/** The Hyperdrive bindings that workerd has a connection for, and how their client libraries speak. */
export function databasesOf({ workers }: Instance, { logins }: LoadedTable): DoorOf[] {
  return workers.flatMap(({ workerName, bindings }) =>
    bindings
      .filter(({ bindingType, ownString }) => bindingType === "hyperdrive" && ownString === undefined)
      .map(({ bindingName }) => bindingKey(workerName, bindingName))
      .map((bindingId) => ({ bindingId, scheme: (logins.get(bindingId) ?? NO_LOGIN).scheme })),
  );
}

/** @returns the names of the bindings; a binding that has no entry now keeps its login, and its connections are refused */
export function changedLogins(now: LoadedTable["logins"], atStart: LoadedTable["logins"]): string {
  const isSame = (login: DatabaseLogin, key: string): boolean =>
    JSON.stringify(login) === JSON.stringify(atStart.get(key));
  const changed = [...now].filter(([key, login]) => !isSame(login, key)).map(([key]) => key);
  return changed.map((key) => key.slice(key.indexOf("/") + 1)).join(", ");
}
