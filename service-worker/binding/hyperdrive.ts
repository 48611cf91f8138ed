/**
 * Makes `env.DB` of a Hyperdrive binding in a user's Worker whose login has characters that a URL can't have as they are:
 * workerd writes them into `connectionString` unencoded. Has the native binding, which reaches its own database only.
 */

/** The inner bindings of the wrapped binding, which the plugin makes. */
export interface HyperdriveEnv {
  native: Hyperdrive;
  scheme: string;
}

export default function makeHyperdrive({ native, scheme }: HyperdriveEnv): Hyperdrive {
  // No plain object, because the runtime copies those into `process.env` before a handler may read the host.
  const made: Hyperdrive = Object.create({ connect: () => native.connect() });
  const define = (name: string, get: () => unknown): void => {
    Object.defineProperty(made, name, { get, enumerable: true, configurable: true });
  };
  define("connectionString", () => connectionStringOf(native, scheme));
  for (const field of FIELDS) define(field, () => native[field]);
  return made;
}

const FIELDS = ["host", "port", "user", "password", "database"] as const;

function connectionStringOf({ host, port, user, password, database }: Hyperdrive, scheme: string): string {
  const [login, name] = [`${encodeURIComponent(user)}:${encodeURIComponent(password)}`, encodeURIComponent(database)];
  return `${scheme}://${login}@${host}:${port}/${name}?sslmode=disable`;
}
