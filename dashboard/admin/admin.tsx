import "./admin.css";
import type { ComponentType } from "preact";
import type { Role } from "../../model/people.ts";
import { MapFiles } from "../map/map-files.tsx";
import { Mappings } from "../mappings/list.tsx";
import { messages } from "../messages/messages.ts";
import { TabLinks } from "../parts/show.tsx";
import { query } from "../shell/router.ts";
import { user } from "../shell/session.ts";
import { Audit } from "./audit.tsx";
import { Districts } from "./districts.tsx";
import { Devices } from "./sensors.tsx";
import { Silences } from "./silences.tsx";
import { Targets } from "./targets.tsx";
import { People } from "./users.tsx";
import { Walls } from "./walls.tsx";

type Tab = {
  readonly id: "users" | "sensors" | "districts" | "targets" | "silences" | "mappings" | "walls" | "map" | "audit";
  readonly roles: readonly Role[];
  readonly Content: ComponentType;
};

const ADMIN: readonly Role[] = ["admin"];
const MANAGE: readonly Role[] = ["operator", "admin"];

/** Everyone sees the tabs of what they may do, as `api/permissions.ts` says. */
const TABS: readonly Tab[] = [
  { id: "users", roles: ADMIN, Content: People },
  { id: "sensors", roles: MANAGE, Content: Devices },
  { id: "districts", roles: MANAGE, Content: Districts },
  { id: "targets", roles: ADMIN, Content: Targets },
  { id: "silences", roles: MANAGE, Content: Silences },
  { id: "mappings", roles: MANAGE, Content: Mappings },
  { id: "walls", roles: ADMIN, Content: Walls },
  { id: "map", roles: ADMIN, Content: MapFiles },
  { id: "audit", roles: MANAGE, Content: Audit },
];

/** `/admin?tab=`: who may sign in, what may send, who is told, what is silent, who did what. */
export function AdminPage() {
  const { admin: t, pages } = messages.value;
  const role = user.value!.role;
  const tabs = TABS.filter(({ roles }) => roles.includes(role));
  const asked = query.value.get("tab");
  const open = tabs.find((tab) => tab.id === asked) ?? tabs[0]!;
  return (
    <div class="admin page">
      <h1 tabIndex={-1}>{pages.admin}</h1>
      <TabLinks
        label={t.tabsLabel}
        tabs={tabs.map(({ id }) => [`/admin?tab=${id}`, t.tabs[id], id === open.id] as const)}
      />
      <open.Content key={open.id} />
    </div>
  );
}
