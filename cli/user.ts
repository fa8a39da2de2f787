import { type Command, Option } from "commander";
import { findService, type ServiceOptions, withService } from "./client.ts";
import { parseId } from "./options.ts";
import { show, table } from "./table.ts";

type Login = { readonly username: string; readonly password: string };
type Row = { readonly username: string; readonly role: string; readonly createdAt: string };

const ROLES = ["viewer", "crew", "operator", "admin"];

export function register(program: Command): void {
  const user = program.command("user").description("people and programs that use the API");
  withService(user.command("add").description("add a user and print the token, once"), "user add anna --role operator")
    .argument("<name>", "a name: a-z, 0-9 and -", parseId)
    .addOption(new Option("--role <role>", "what they may do").choices(ROLES).makeOptionMandatory())
    .action(add);
  withService(user.command("list").description("list them"), "user list").action(list);
  withService(user.command("remove").description("remove a user; open streams are closed"), "user remove anna")
    .argument("<name>", "the name", parseId)
    .action(remove);
}

async function add(name: string, options: ServiceOptions & { readonly role: string }): Promise<void> {
  const { client } = findService(options);
  const login = await client.post<Login>("/api/v1/users", { name, role: options.role });
  show(options, login, () =>
    [
      `token  ${login.password}   (shown once; only its hash is kept)`,
      `        also the password of "${name}" on the web page, until they choose one there`,
      "",
      `  curl -H "Authorization: Bearer ${login.password}" ${client.url}/api/v1/alerts`,
    ].join("\n"),
  );
}

async function list(options: ServiceOptions): Promise<void> {
  const rows = await findService(options).client.all<Row>("/api/v1/users", { limit: 1000 });
  show(options, rows, () =>
    table(
      ["user", "role", "added"],
      rows.map((row) => [row.username, row.role, row.createdAt]),
    ),
  );
}

async function remove(name: string, options: ServiceOptions): Promise<void> {
  await findService(options).client.delete(`/api/v1/users/${name}`);
  show(options, { removed: name }, () => `${name} is removed`);
}
