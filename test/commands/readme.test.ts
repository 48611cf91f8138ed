/** The output in docs/command-line.md is what the command line prints. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { MINIFLARE_VPC } from "../wrangler/run.ts";
import { REPOSITORY } from "../wrangler/temporary-project.ts";
import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { createCallFolder } from "./call.ts";

const page = readFileSync(path.join(REPOSITORY, "docs/command-line.md"), "utf8");
const WRANGLER = JSON.stringify({
  name: "api",
  vpc_services: [{ binding: "USERS", service_id: SERVICE_ID }],
  vpc_networks: [{ binding: "PRIVATE", tunnel_id: TUNNEL_ID }],
});
const GOOD = `{
  "services": { "USERS": "http://localhost:3001" },

  "networks": {
    "${TUNNEL_ID}": {
      "routes": {
        "*.internal": "localhost",
        "users.internal": "localhost:8443",
        "users.internal:9000-9999": "localhost:3002",
        "10.9.0.0/16": "passthrough",
        "db.internal:5432": "localhost:5432"
      }
    }
  }
}`;
const BAD = `{
  "services": { "USERS": "http://localhost:3001" },
  "networks": {
    "PRIVATE": {
      "routes": {
        "10.0.0.0/31": "localhost:1",
        "10.0.0.0": "localhost:1",
        "10.0.0.1": "localhost:1",
        "db.internal": "localhost:x"
      }
    }
  }
}`;

test.each([
  ["check", BAD],
  ["explain PRIVATE https://users.internal/users/1", GOOD],
  ["routes", GOOD],
])("%s", async (line, config) => {
  await using vpc = await createCallFolder({ "wrangler.jsonc": WRANGLER, "vpc.jsonc": config });
  const { stdout } = spawnSync(process.execPath, [MINIFLARE_VPC, ...line.split(" ")], {
    cwd: vpc.folder,
    env: { PATH: process.env["PATH"] },
    encoding: "utf8",
  });
  expect(page).toContain(`\`\`\`\n$ npx miniflare-vpc ${line}\n${stdout}\`\`\`\n`);
});
