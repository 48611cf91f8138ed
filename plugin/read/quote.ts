/**
 * Says in a message what a value is. Imports nothing, because it also runs in workerd.
 */

/** Formats a value for messages. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return "an array";
      return isPlainObject(value) ? "an object" : `an instance of ${classOf(value)}`;
    case "function":
      return "a function";
    default:
      return String(value);
  }
}

/** Whether a value is a plain object, from any realm. A Map or a Promise isn't one, because its properties don't hold its values. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function classOf(value: object): string {
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "a class";
}
