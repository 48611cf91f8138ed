/** A project for `miniflare-vpc dev`, with one private service. */

import { type TemporaryProject, createProject } from "../wrangler/temporary-project.ts";

const SERVICE = "e6a0817c-79c5-40ca-9776-a1c019defe70";

export function createSoakProject(port: number): TemporaryProject {
  return createProject({
    "wrangler.json": {
      name: "api",
      main: "index.js",
      compatibility_date: "2026-01-01",
      vpc_services: [{ binding: "API", service_id: SERVICE }],
    },
    "index.js": "export default { fetch: (_, env) => env.API.fetch('http://api.internal/') }",
    "vpc.jsonc": configFor(port),
  });
}

export function configFor(port: number): object {
  return { services: { [SERVICE]: `http://127.0.0.1:${port}` } };
}
