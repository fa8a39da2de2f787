import type { ComponentType } from "preact";
import type { Role } from "../../model/people.ts";
import type { Messages } from "../messages/en.ts";
import { loadMessages } from "../messages/messages.ts";
import { match, type PageProps } from "./router.ts";

export type Page = {
  readonly path: string;
  /** In the browser's title, and in the navigation where `inNavigation` says so. */
  readonly title: keyof Messages["pages"];
  readonly inNavigation?: true;
  /** Opens without a connection, too, and says itself how old is what it shows. */
  readonly opensOffline?: true;
  /** The whole screen is its own, and it looks after its connection by itself: no header, nothing to press. */
  readonly bare?: true;
  /** Its English is in `messages/en/first.ts`, so that it opens without the rest. */
  readonly fewWords?: true;
  /** Who may open it; `anyone` also without signing in. */
  readonly roles: readonly Role[] | "anyone";
  /** Each page is a chunk of its own: nobody loads what they do not open. */
  readonly load: () => Promise<ComponentType<PageProps>>;
};

const EVERYONE: readonly Role[] = ["viewer", "crew", "operator", "admin"];
const MANAGERS: readonly Role[] = ["operator", "admin"];

/** Every page, in the order of the navigation. To add one: a line here, its title in `messages/`, its path in `api/permissions.ts`. */
export const PAGES: readonly Page[] = [
  {
    path: "/",
    title: "desk",
    fewWords: true,
    inNavigation: true,
    roles: EVERYONE,
    load: async () => (await import("../desk/desk.tsx")).DeskPage,
  },
  {
    path: "/alerts/:id",
    title: "alert",
    fewWords: true,
    roles: EVERYONE,
    load: async () => (await import("../alert/alert.tsx")).AlertPage,
  },
  {
    path: "/sensors/:id",
    title: "sensor",
    roles: EVERYONE,
    load: async () => (await import("../sensor/sensor.tsx")).SensorPage,
  },
  {
    path: "/sensors",
    title: "sensors",
    inNavigation: true,
    roles: EVERYONE,
    load: async () => (await import("../sensors/sensors.tsx")).SensorsPage,
  },
  {
    path: "/compare",
    title: "compare",
    roles: EVERYONE,
    load: async () => (await import("../compare/compare.tsx")).ComparePage,
  },
  {
    path: "/wall",
    title: "wall",
    bare: true,
    roles: "anyone",
    load: async () => (await import("../wall/wall.tsx")).WallPage,
  },
  {
    path: "/crew",
    title: "crew",
    fewWords: true,
    inNavigation: true,
    opensOffline: true,
    roles: EVERYONE,
    load: async () => (await import("../crew/crew.tsx")).CrewPage,
  },
  {
    path: "/rules",
    title: "rules",
    inNavigation: true,
    roles: EVERYONE,
    load: async () => (await import("../rules/list.tsx")).RulesPage,
  },
  {
    path: "/rules/:id",
    title: "rule",
    roles: EVERYONE,
    load: async () => (await import("../rules/rule.tsx")).RulePage,
  },
  {
    path: "/rules/:id/edit",
    title: "editRule",
    roles: MANAGERS,
    load: async () => (await import("../rules/edit.tsx")).EditRulePage,
  },
  {
    path: "/new-rule",
    title: "newRule",
    roles: MANAGERS,
    load: async () => (await import("../rules/edit.tsx")).NewRulePage,
  },
  {
    path: "/report",
    title: "report",
    inNavigation: true,
    roles: EVERYONE,
    load: async () => (await import("../report/report.tsx")).ReportPage,
  },
  {
    path: "/capture",
    title: "capture",
    roles: EVERYONE,
    load: async () => (await import("../capture/capture.tsx")).CapturePage,
  },
  {
    path: "/feed",
    title: "feed",
    inNavigation: true,
    roles: EVERYONE,
    load: async () => (await import("../feed/feed.tsx")).FeedPage,
  },
  {
    path: "/admin",
    title: "admin",
    inNavigation: true,
    roles: ["operator", "admin"],
    load: async () => (await import("../admin/admin.tsx")).AdminPage,
  },
  {
    path: "/mappings/:id",
    title: "mapping",
    roles: MANAGERS,
    load: async () => (await import("../mappings/edit.tsx")).EditMappingPage,
  },
  {
    path: "/new-mapping",
    title: "newMapping",
    roles: MANAGERS,
    load: async () => (await import("../mappings/edit.tsx")).NewMappingPage,
  },
  {
    path: "/account",
    title: "account",
    fewWords: true,
    roles: EVERYONE,
    load: async () => (await import("../account/account.tsx")).AccountPage,
  },
  {
    path: "/city",
    title: "city",
    fewWords: true,
    roles: "anyone",
    load: async () => (await import("../city/city.tsx")).CityPage,
  },
];

export function pageAt(pathname: string): { page: Page; params: PageProps["params"] } | undefined {
  for (const page of PAGES) {
    const params = match(page.path, pathname);
    if (params) return { page, params };
  }
  return undefined;
}

/** A page's chunk, with the sentences it says. */
export async function loadPage({ load, fewWords }: Page): Promise<ComponentType<PageProps>> {
  const [component] = await Promise.all([load(), fewWords || loadMessages()]);
  return component;
}
