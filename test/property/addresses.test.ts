/** `parseHost` and related functions, with any spelling and any text. */

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parseDestination, formatDestination } from "../../plugin/parse/parse-destination.ts";
import { findProblem } from "../../service-worker/routing/address-text.ts";
import {
  formatEndpoint,
  isProblem,
  maskBytes,
  parseEndpoint,
  parseHost,
} from "../../service-worker/routing/address.ts";
import { markHost, unmarkAddress } from "../../service-worker/connect/connection-id.ts";
import { DEADLINE, runs } from "./runs.ts";
import { spelledHost, spelledName, spelledV4, spelledV6, v6Groups, writeV6 } from "./spellings.ts";

const port = fc.oneof(fc.constantFrom(1, 80, 65_535), fc.integer({ min: 1, max: 65_535 }));

/** Any text, and text of characters that occur in hosts. */
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

  test("the bytes of an IPv6 address are those of its groups", () => {
    fc.assert(
      fc.property(v6Groups, (groups) => {
        const bytes = groups.flatMap((value) => [value >> 8, value & 255]);
        expect(parseHost(writeV6(groups))).toMatchObject({ version: 6, bytes });
      }),
      runs(1000),
    );
  });

  test("a host in its normal form is what a URL parser says, although none is asked", () => {
    const label = fc.string({ unit: fc.constantFrom(...Array.from("abxn0129-_")), minLength: 1, maxLength: 6 });
    const host = fc.oneof(
      fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join(".")),
      fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 4, maxLength: 4 }).map((bytes) => bytes.join(".")),
    );
    fc.assert(
      fc.property(host, (text) => {
        const parsed = parseHost(text);
        const url = URL.parse(`http://${text}/`)?.hostname;
        expect(isProblem(parsed) ? undefined : parsed.text).toBe(url);
        if (isProblem(parsed) || parsed.type === "name") return;
        expect(parsed.bytes.join(".")).toBe(parsed.text);
      }),
      runs(2000),
    );
  });

  test("any text is a host whose normal form is stable, or a problem with a message", () => {
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

  test("a text is the same host in a URL and in `connect`, or no host in one of them", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const written = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text;
        const host = parseHost(text);
        // A text that would not stay within the host of a URL is not a host.
        if (isProblem(host) || !URL.canParse(`http://${written}/`)) return;
        expect(parseHost(new URL(`http://${written}/`).hostname)).toEqual(host);
      }),
      runs(5000),
    );
  });

  test("a formatted endpoint parses to the same host and port", () => {
    fc.assert(
      fc.property(spelledHost, port, ({ normal }, port) => {
        expect(parseEndpoint(formatEndpoint(normal, port))).toMatchObject({ host: { text: normal }, port });
      }),
      runs(1000),
    );
  });

  test("a host that the facade marks is the same after unmarking", () => {
    fc.assert(
      fc.property(spelledHost, port, ({ normal }, port) => {
        const { marked, ahead } = markHost("0123456789abcdef0123", normal);
        expect(ahead === "" ? 255 : normal.length).toBeGreaterThan(200);
        const unmarked = unmarkAddress(`${marked}:${port}`);
        expect(unmarked.connectionId).toBe("0123456789abcdef0123");
        expect(unmarked.ahead ?? 0).toBe(ahead.length);
        expect(parseEndpoint(`${ahead}${unmarked.address}`)).toMatchObject({ host: { text: normal }, port });
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

  test("a formatted destination parses to the same destination", () => {
    fc.assert(
      fc.property(fc.oneof(bracketed, wildcard, cidr), ports, ({ written }, ports) => {
        const destination = parseDestination(written + ports);
        if (isProblem(destination)) throw new Error(`${written}${ports} ${destination.problem}`);
        expect(parseDestination(formatDestination(destination))).toEqual(destination);
      }),
      runs(3000),
    );
  });

  test("any text is a destination, or a problem with a message", () => {
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
