/**
 * Cuts what a user wrote into scheme, host and port. Judges none of them: that is for `parseHost` and
 * `parsePort`, and for the caller to put into words.
 */

/** @returns for `http://a` the scheme `http` and the rest `//a`; undefined when no scheme stands in front */
export function splitScheme(text: string): { scheme: string; rest: string } | undefined {
  const [, scheme, rest] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(text) ?? [];
  return scheme === undefined || rest === undefined ? undefined : { scheme, rest };
}

/** @param text without a scheme; IPv6 has brackets where it has a port */
export function splitPort(text: string): { hostText: string; portText?: string } {
  const bracketed = /^(\[[^\]]*\])(?::(.*))?$/s.exec(text);
  if (bracketed !== null) {
    const [, hostText = "", portText] = bracketed;
    return portText === undefined ? { hostText } : { hostText, portText };
  }
  const colon = text.indexOf(":");
  // More than one colon: IPv6 without brackets, which has no port.
  if (colon === -1 || colon !== text.lastIndexOf(":")) return { hostText: text };
  return { hostText: text.slice(0, colon), portText: text.slice(colon + 1) };
}
