/** `parseHost` and its kin, for any spelling and any text at all. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parseDestination, formatDestination } from "../../plugin/parse/parse-destination.ts";
import { findProblem } from "../../service-worker/address-text.ts";
import { formatEndpoint, isProblem, maskBytes, parseEndpoint, parseHost } from "../../service-worker/address.ts";
import { markHost, unmarkAddress } from "../../service-worker/connection-id.ts";
import { DEADLINE, runs } from "./runs.ts";
import { spelledHost, spelledName, spelledV4, spelledV6, v6Groups, writeV6 } from "./spellings.ts";

const port = fc.oneof(fc.constantFrom(1, 80, 65_535), fc.integer({ min: 1, max: 65_535 }));

/** Any text, and text made of what hosts are made of. */
const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(...Array.from("0123456789abcdefxXA.:[]%-_*/@#?\\ \t\r\n。．ß☃０")) }),
  fc.webUrl().map((url) => new URL(url).hostname),
  spelledHost.map(({ written }) => written),
);

describe("hosts", { timeout: DEADLINE }, () => {
  test.each([
    ["an IPv4 address", spelledV4],
    ["an IPv6 address", spelledV6],
    ["a name", spelledName],
  ])("every spelling of %s has one normal form", (_, spelled) => {
    fc.assert(
      fc.property(spelled, ({ normal, written }) => {
        expect(parseHost(written)).toMatchObject({ text: normal });
      }),
      runs(2000),
    );
  });

  test("the octets of an IPv6 address are those of its groups", () => {
    fc.assert(
      fc.property(v6Groups, (groups) => {
        const octets = groups.flatMap((value) => [value >> 8, value & 255]);
        expect(parseHost(writeV6(groups))).toMatchObject({ version: 6, bytes: octets });
      }),
      runs(1000),
    );
  });

  test("any text is a host in normal form, which stays as it is, or a problem in words", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const host = parseHost(text);
        expect(isProblem(host) ? host.problem : "none").toMatch(/^\S.*\S$/s);
        if (isProblem(host)) return;
        expect(parseHost(host.text)).toEqual(host);
        expect(findProblem(host.text)).toBeUndefined();
        expect(host.text).toMatch(host.type === "name" ? /^[^A-Z:.][^A-Z:]*$/ : /^[0-9a-f.:]+$/);
      }),
      runs(5000),
    );
  });

  test("what a URL makes of a text and what `connect` makes of it are the same host, or none", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const written = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
        const host = parseHost(text);
        // What would not stay within the host of a URL is no host at all.
        if (isProblem(host) || !URL.canParse(`http://${written}/`)) return;
        expect(parseHost(new URL(`http://${written}/`).hostname)).toEqual(host);
      }),
      runs(5000),
    );
  });

  test("an endpoint is read as it is written", () => {
    fc.assert(
      fc.property(spelledHost, port, ({ normal }, port) => {
        expect(parseEndpoint(formatEndpoint(normal, port))).toMatchObject({ host: { text: normal }, port });
      }),
      runs(1000),
    );
  });

  test("a host goes through the facade's mark as it is", () => {
    fc.assert(
      fc.property(spelledHost, port, ({ normal }, port) => {
        const marked = markHost("0123456789abcdef0123", normal);
        expect(marked === undefined ? normal.length : 255).toBeGreaterThan(200);
        if (marked === undefined) return;
        const { address, connectionId } = unmarkAddress(`${marked}:${port}`);
        expect(connectionId).toBe("0123456789abcdef0123");
        expect(parseEndpoint(address)).toMatchObject({ host: { text: normal }, port });
      }),
      runs(1000),
    );
  });
});

describe("destinations", { timeout: DEADLINE }, () => {
  const ports = fc.oneof(
    fc.constant(""),
    port.map((one) => `:${one}`),
    fc.tuple(port, port).map(([a, b]) => `:${Math.min(a, b)}-${Math.max(a, b)}`),
  );
  const cidr = fc.oneof(
    fc.tuple(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), fc.nat(32)).map(([octets, prefix]) => ({
      written: `${maskBytes(octets, prefix).join(".")}/${prefix}`,
    })),
    fc.tuple(v6Groups, fc.nat(128)).map(([groups, prefix]) => {
      const octets = maskBytes(
        groups.flatMap((value) => [value >> 8, value & 255]),
        prefix,
      );
      const masked = groups.map((_, index) => (octets[index * 2] ?? 0) * 256 + (octets[index * 2 + 1] ?? 0));
      return { written: `[${writeV6(masked)}/${prefix}]` };
    }),
  );
  const wildcard = spelledName.map(({ written }) => ({ written: `*.${written}` }));
  const bracketed = spelledHost.map(({ written }) => ({
    written: written.includes(":") && !written.startsWith("[") ? `[${written}]` : written,
  }));

  test("are read as they are formatted", () => {
    fc.assert(
      fc.property(fc.oneof(bracketed, wildcard, cidr), ports, ({ written }, ports) => {
        const destination = parseDestination(written + ports);
        if (isProblem(destination)) throw new Error(`${written}${ports} ${destination.problem}`);
        expect(parseDestination(formatDestination(destination))).toEqual(destination);
      }),
      runs(3000),
    );
  });

  test("any text is one, or a problem in words", () => {
    fc.assert(
      fc.property(anyText, ports, (text, ports) => {
        const destination = parseDestination(text + ports);
        expect(isProblem(destination) ? `${destination.problem} ${destination.note}` : "").not.toMatch(/undefined|NaN/);
        if (isProblem(destination)) return;
        expect(parseDestination(formatDestination(destination))).toEqual(destination);
      }),
      runs(3000),
    );
  });
});
