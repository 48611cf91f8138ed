/**
 * Splits what a user wrote into scheme, host and port. Checks none of them: `parseHost` and `parsePort` do, and
 * the caller words the message.
 */

/** @returns the scheme `http` and the rest `//a` for `http://a`; undefined if the text has no scheme */
export function splitScheme(text: string): { scheme: string; rest: string } | undefined {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(text) ?? [];
  return scheme === undefined || rest === undefined ? undefined : { scheme, rest };
}

/** @param text without a scheme; IPv6 has brackets if it has a port */
export function splitPort(text: string): { hostText: string; portText?: string } {
  const bracketed = text.startsWith("[") ? /^(\[[^\]]*\])(?::(.*))?$/s.exec(text) : null;
  if (bracketed !== null) {
    const [, hostText = "", portText] = bracketed;
    return portText === undefined ? { hostText } : { hostText, portText };
  }
  const colon = text.indexOf(":");
  // More than one colon: IPv6 without brackets, which has no port.
  if (colon === -1 || colon !== text.lastIndexOf(":")) return { hostText: text };
  return { hostText: text.slice(0, colon), portText: text.slice(colon + 1) };
}
