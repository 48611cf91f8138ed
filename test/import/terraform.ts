/** Imports of Terraform: HCL, state, plan. */

import { SERVICE_ID, TUNNEL_ID } from "../setup/vpc-folder.ts";
import { type ImportCase, NEXT } from "./case.ts";

const ATTRIBUTES = {
  account_id: "023e105f4ecef8ad9ca31a8372d0c353",
  id: SERVICE_ID,
  service_id: SERVICE_ID,
  name: "users",
  type: "http",
  http_port: 8080,
  https_port: null,
  host: { hostname: "users.internal", ipv4: null, network: null, resolver_network: { tunnel_id: TUNNEL_ID } },
};
const TYPE = "cloudflare_connectivity_directory_service";

const entry = (key: string, name: string): string => `{
  "$schema": "./node_modules/miniflare-vpc/vpc.schema.json",
  "services": {
    "${key}": {
      "name": "${name}",
      "type": "http",
      "http_port": 8080,
      "host": {
        "hostname": "users.internal",
        "resolver_network": { "tunnel_id": "${TUNNEL_ID}" }
      }
    }
  }
}
`;
const added = (key: string, name: string): string[] => [
  "vpc.jsonc: 1 service written",
  `    added    "${key}"${key === name ? "" : `  ${name}`}`,
  ...NEXT,
];

const resource = (lines: string): string => `resource "${TYPE}" "users_api" {\n${lines}\n}\n`;

export const TERRAFORM_FILES: ImportCase[] = [
  {
    title: "Terraform: a state file",
    files: {
      "terraform.tfstate": JSON.stringify({
        version: 4,
        terraform_version: "1.9.0",
        resources: [
          { mode: "managed", type: "cloudflare_dns_record", name: "x", instances: [{ attributes: {} }] },
          { mode: "managed", type: TYPE, name: "users", instances: [{ attributes: ATTRIBUTES }] },
        ],
      }),
    },
    expected: entry(SERVICE_ID, "users"),
    out: added(SERVICE_ID, "users"),
  },
  {
    title: "Terraform: show -json of a state, in a module, with the resource's older name",
    files: {
      "show.json": JSON.stringify({
        format_version: "1.0",
        values: {
          root_module: {
            child_modules: [
              {
                resources: [
                  { type: "cloudflare_zero_trust_connectivity_directory_service", name: "u", values: ATTRIBUTES },
                ],
              },
            ],
          },
        },
      }),
    },
    expected: entry(SERVICE_ID, "users"),
    out: added(SERVICE_ID, "users"),
  },
  {
    title: "Terraform: show -json of a plan, in which some values are not known yet",
    files: {
      "plan.json": JSON.stringify({
        format_version: "1.2",
        planned_values: {
          root_module: {
            resources: [
              { type: TYPE, name: "users_api", values: { ...ATTRIBUTES, id: undefined, service_id: undefined } },
              { type: TYPE, name: "b", values: { name: "b", type: "http", host: { ipv4: "10.0.0.1", network: {} } } },
            ],
          },
        },
      }),
    },
    expected: entry(SERVICE_ID, "users"),
    out: added(SERVICE_ID, "users"),
    err: [
      'plan.json:1:151: warning: "users" has no "service_id" [no-service-id]',
      `    It was matched with the binding of that name, whose id is "${SERVICE_ID}".`,
      'plan.json:1:526: error: "network" lacks "tunnel_id" [missing-field]',
      '    Add "tunnel_id": a uuid.',
      '    A plan lacks values that are known only after "apply". Apply it, then import the output of "terraform show -json".',
    ],
    exit: 1,
  },
  {
    title: "Terraform: HCL with variables, locals and templates",
    files: {
      "main.tf": `# comment
// comment
/* another
   one */
terraform {
  required_providers { cloudflare = { source = "cloudflare/cloudflare", version = "~> 5" } }
}
locals {
  suffix = "internal" # of names
  tunnel = var.tunnel_id
}
data "cloudflare_accounts" "all" { filter = { name = "x\${1 + 1}" } }
${resource(`  account_id = var.account_id
  name = "\${var.prefix}-api"
  type      = "http"
  http_port = 8080
  host = {
    hostname         = "users.\${local.suffix}"
    "resolver_network" = { tunnel_id: local.tunnel }
  }
  lifecycle {
    ignore_changes = [name, for x in y : x]
  }
  depends_on = [cloudflare_x.y]`)}
output "all" { value = [for s in x : s.name] }
`,
      "variables.tf": `variable "tunnel_id" {
  type    = string
  default = "replaced"
}
variable "prefix" { default = "users" }
variable "text" {
  default = <<-EOT
    several \${lines}
    of text
  EOT
}
`,
      "prod.tfvars": `tunnel_id = "${TUNNEL_ID}"\n`,
    },
    expected: entry(SERVICE_ID, "users-api"),
    out: added(SERVICE_ID, "users-api"),
    err: [
      'main.tf:13:1: warning: "users-api" has no "service_id" [no-service-id]',
      `    It was matched with the binding of that name, whose id is "${SERVICE_ID}".`,
    ],
  },
  {
    title: "Terraform: members of locals; keys that aren't names",
    files: {
      "main.tf": `locals {
  users = { ports = { http = 8080 }, name = "users" }
  other = { (var.tunnel) = 1, 80 = "x", ("a" == "b" ? "c" : "d") : 2 }
}
${resource(`  name = "\${local.users.name}-api"
  type = "http"
  http_port = local.users.ports.http
  host = { hostname = "users.internal", resolver_network = { tunnel_id = "${TUNNEL_ID}" } }`)}`,
    },
    expected: entry(SERVICE_ID, "users-api"),
    out: added(SERVICE_ID, "users-api"),
    err: [
      'main.tf:5:1: warning: "users-api" has no "service_id" [no-service-id]',
      `    It was matched with the binding of that name, whose id is "${SERVICE_ID}".`,
    ],
  },
  {
    title: "Terraform: HCL of a service without a binding of that name",
    files: {
      "main.tf": `resource "${TYPE}" "people" {
  name = "people"
  type = "http"
  http_port = 8080
  host {
    hostname = "users.internal"
    resolver_network { tunnel_id = "${TUNNEL_ID}" }
  }
}
`,
    },
    expected: entry("people", "people"),
    out: added("people", "people"),
    err: [
      'main.tf:1:1: warning: "people" has no "service_id" [no-service-id]',
      '    Its key is now "people". Replace it by the service_id or the name of the binding.',
    ],
  },
  {
    title: "Terraform: values that only Terraform can evaluate are reported with their positions",
    files: {
      "main.tf": resource(`  name = "users"
  type = var.type
  http_port = 8000 + 80
  host = {
    hostname = lower("USERS.internal")
    resolver_network = {
      tunnel_id = cloudflare_zero_trust_tunnel_cloudflared.main.id
      resolver_ips = [
        "10.0.0.1", # first
        each.value,
      ]
    }
  }`),
    },
    expected: undefined,
    err: [
      'main.tf:3:10: error: "type" of "users_api" is var.type, which only Terraform can evaluate [not-a-literal]',
      '    Also import the file that sets it, such as variables.tf or terraform.tfvars, or import the output of "terraform show -json".',
      'main.tf:4:15: error: "http_port" of "users_api" is 8000 + 80, which only Terraform can evaluate [not-a-literal]',
      '    Import the output of "terraform show -json" instead of this file.',
      'main.tf:6:16: error: "host.hostname" of "users_api" is lower("USERS.internal"), which only Terraform can evaluate [not-a-literal]',
      '    Import the output of "terraform show -json" instead of this file.',
      'main.tf:8:19: error: "host.resolver_network.tunnel_id" of "users_api" is cloudflare_zero_trust_tunnel_cloudflared.main.id, which only Terraform can evaluate [not-a-literal]',
      '    Import the output of "terraform show -json" instead of this file.',
      'main.tf:11:9: error: "host.resolver_network.resolver_ips[1]" of "users_api" is each.value, which only Terraform can evaluate [not-a-literal]',
      '    Import the output of "terraform show -json" instead of this file.',
    ],
    exit: 1,
  },
  {
    title: "Terraform: mistakes in HCL",
    files: {
      "a.tf": 'variable "x" {\n  default = \n}\n',
      "b.tf": 'locals {\n  x = "open\n}\n',
      "c.tf": "locals {\n",
      "d.tf": "x = <<EOT\n  never\n",
      "e.tf": `x = ${"[".repeat(8000)}`,
      "e1.tf": "a {\n".repeat(8000),
      "e2.tf": `x = ${'"${'.repeat(8000)}`,
      "f.tf": resource(`  name = "a"\n  type = "http"\n  host = { ipv4 = "10.0.0.1" }`),
    },
    expected: undefined,
    err: [
      "a.tf:2:13: error: not HCL: expected a value, but found the end of the line [hcl-syntax]",
      "b.tf:2:7: error: not HCL: the string has no closing quote [hcl-syntax]",
      "c.tf:2:1: error: not HCL: expected a name, but found the end of the file [hcl-syntax]",
      "d.tf:1:5: error: not HCL: the heredoc <<EOT has no end [hcl-syntax]",
      "e.tf:1:505: error: not HCL: the nesting is deeper than 500 levels [hcl-syntax]",
      "e1.tf:501:3: error: not HCL: the nesting is deeper than 500 levels [hcl-syntax]",
      "e2.tf:1:1508: error: not HCL: the nesting is deeper than 500 levels [hcl-syntax]",
      'f.tf:4:10: error: "host" lacks "network" [invalid-host]',
      '    Add "network": { "tunnel_id": a uuid }.',
    ],
    exit: 1,
  },
];
