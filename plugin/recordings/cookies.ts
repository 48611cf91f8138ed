/** Reads cookies as HAR lists them (RFC 6265 §4). */

import type { HarCookie } from "./har.ts";

/** @param header the value of `Cookie` */
export function readCookies(header: string): HarCookie[] {
  return header.split(";").flatMap((pair) => {
    const cookie = readPair(pair);
    return cookie.name === "" ? [] : [cookie];
  });
}

/** @param header the value of one `Set-Cookie`. @returns undefined if it has no name */
export function readSetCookie(header: string): HarCookie | undefined {
  const [first = "", ...attributes] = header.split(";");
  const cookie: HarCookie = readPair(first);
  if (cookie.name === "") return undefined;
  for (const attribute of attributes) {
    const { name, value } = readPair(attribute.includes("=") ? attribute : `${attribute}=`);
    switch (name.toLowerCase()) {
      case "path":
        cookie.path = value;
        break;
      case "domain":
        cookie.domain = value;
        break;
      case "expires": {
        const expires = new Date(value);
        if (!Number.isNaN(expires.getTime())) cookie.expires = expires.toISOString();
        break;
      }
      case "httponly":
        cookie.httpOnly = true;
        break;
      case "secure":
        cookie.secure = true;
        break;
    }
  }
  return cookie;
}

function readPair(pair: string): { name: string; value: string } {
  const equals = pair.indexOf("=");
  // Without a sign, it is a value without a name (RFC 6265bis §5.6).
  return equals === -1
    ? { name: "", value: pair.trim() }
    : { name: pair.slice(0, equals).trim(), value: pair.slice(equals + 1).trim() };
}
