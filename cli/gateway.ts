import type { Command } from "commander";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { gatherIds, parseId } from "./options.ts";
import { show, table } from "./table.ts";

type Login = { readonly username: string; readonly password: string };
type Row = {
  readonly username: string;
  readonly districts: readonly string[];
  readonly mayImport: boolean;
  readonly createdAt: string;
};

export function register(program: Command): void {
  const gateway = program.command("gateway").description("devices that speak for the sensors of their districts");
  withService(
    gateway.command("add").description("add a gateway and print its password, once"),
    "gateway add gw-north --district northfield,harbour",
  )
    .argument("<name>", "its name; its client ids start with it", parseId)
    .requiredOption("--district <districts>", "one or more, separated by commas; may be repeated", gatherIds)
    .option("--may-import", "may send history on import/… topics")
    .action(add);
  withService(gateway.command("list").description("list them"), "gateway list").action(list);
  withService(gateway.command("remove").description("take its password away"), "gateway remove gw-north")
    .argument("<name>", "its name", parseId)
    .action(remove);
}

async function add(
  name: string,
  options: ServiceOptions & { readonly district: readonly string[]; readonly mayImport?: boolean },
): Promise<void> {
  const body = { name, districts: options.district, mayImport: options.mayImport ?? false };
  const login = await findService(options).client.post<Login>("/api/v1/gateways", body);
  show(options, login, () =>
    [
      `username   ${login.username}`,
      `password   ${login.password}   (shown once; only its hash is kept)`,
      `client id  ${name}-<anything>`,
      `topics     ${options.district.map((district) => `city/${district}/<kind>/<sensor>`).join("  ")}`,
    ].join("\n"),
  );
}

async function list(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all<Row>("/api/v1/gateways", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["gateway", "districts", "import", "added"],
      rows.map((row) => [row.username, row.districts.join(","), row.mayImport ? "yes" : "no", row.createdAt]),
    ),
  );
}

async function remove(name: string, options: ServiceOptions): Promise<void> {
  await findService(options).client.delete(`/api/v1/gateways/${name}`);
  show(options, { removed: name }, () => `${name} can no longer connect`);
}
