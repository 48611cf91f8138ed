import { expect, it } from "vitest";
import { makeConnectionId, markHost, unmarkAddress } from "../../service-worker/connect/connection-id.ts";

it("no two connections share an id, and the handler reads it back", () => {
  const ids = Array.from({ length: 1000 }, makeConnectionId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    const { marked } = markHost(id, "db.internal");
    expect(unmarkAddress(`${marked}:5432`)).toEqual({ address: "db.internal:5432", connectionId: id });
  }
});
