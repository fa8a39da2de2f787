import type { Account, Role } from "../model/people.ts";

/** Who may call a route. `public`: anyone; `loopback`: this machine, or anyone who may view. */
type Permission = "public" | "loopback" | readonly Role[];

const VIEW = ["viewer", "crew", "operator", "admin"] as const;
const HANDLE = ["crew", "operator", "admin"] as const;
const MANAGE = ["operator", "admin"] as const;
const ADMIN = ["admin"] as const;
const SEND = ["device", "operator", "admin"] as const;

/** Where the web page may be entered: each answers with the same document, which holds nothing by itself. */
export const PAGE_PATHS = ["/", "/alerts/:id", "/crew", "/sensors/:id", "/feed"]
  .concat(["/rules", "/rules/:id", "/rules/:id/edit", "/new-rule"])
  .concat(["/report", "/capture", "/sensors", "/compare", "/wall", "/admin", "/account", "/city"])
  .concat(["/mappings/:id", "/new-mapping"]);

/** What the page needs under a name that never changes. */
export const LOOSE_FILES = ["icon.svg", "manifest.webmanifest", "service-worker.js"];

/** Where messages of other makers come in. */
export const DOORS = ["/in/:mapping", "/in/:mapping/*", "/api/v1/in/:mapping", "/api/v1/in/:mapping/*"].concat([
  "/write",
  "/api/v2/write",
]);

/**
 * The one table of who may do what over HTTP. A route that is not in it cannot be registered, so that a forgotten
 * permission is a failing start and not an open door.
 */
export const PERMISSIONS: ReadonlyMap<string, Permission> = new Map<string, Permission>([
  ...PAGE_PATHS.map((path) => [`GET ${path}`, "public"] as const),
  ["GET /assets/:file", "public"],
  ...LOOSE_FILES.map((file) => [`GET /${file}`, "public"] as const),
  ["GET /city-metrics.js", "public"],
  ["GET /livez", "public"],
  ["GET /readyz", "public"],
  ["GET /metrics", "loopback"],
  ["GET /openapi.json", "public"],
  ["POST /api/v1/readings", SEND],
  ["GET /api/v1/readings/latest", VIEW],
  ["GET /api/v1/sensors", VIEW],
  ["GET /api/v1/sensors/:id", VIEW],
  ["GET /api/v1/register", MANAGE],
  ["POST /api/v1/register", MANAGE],
  ["PATCH /api/v1/sensors/:id", MANAGE],
  ["DELETE /api/v1/sensors/:id", MANAGE],
  ["POST /api/v1/sensors/:id/restore", MANAGE],
  ["GET /api/v1/sensors/:id/readings", VIEW],
  ["GET /api/v1/sensors/:id/corrections", VIEW],
  ["POST /api/v1/sensors/:id/corrections", MANAGE],
  ["POST /api/v1/corrections/:id/revoke", MANAGE],
  ["GET /api/v1/sensors/:id/calibrations", VIEW],
  ["POST /api/v1/sensors/:id/calibrations", MANAGE],
  ["POST /api/v1/calibrations/:id/end", MANAGE],
  ["POST /api/v1/quarantine/:id/decide", MANAGE],
  ["GET /api/v1/districts", VIEW],
  ["PUT /api/v1/districts/:id", MANAGE],
  ["DELETE /api/v1/districts/:id", MANAGE],
  ["GET /api/v1/removed", MANAGE],
  ["POST /api/v1/removed/:id/undo", MANAGE],
  ["GET /api/v1/alerts", VIEW],
  ["GET /api/v1/crew", VIEW],
  ["GET /api/v1/alerts/:id", VIEW],
  ["POST /api/v1/alerts/:id/acknowledge", HANDLE],
  ["POST /api/v1/alerts/:id/assign", HANDLE],
  ["POST /api/v1/alerts/:id/comment", HANDLE],
  ["POST /api/v1/alerts/:id/start", HANDLE],
  ["POST /api/v1/alerts/:id/close", HANDLE],
  ["POST /api/v1/alerts/:id/return", HANDLE],
  ["POST /api/v1/alerts/:id/reopen", HANDLE],
  ["POST /api/v1/alerts/:id/review", HANDLE],
  ["POST /api/v1/alerts/:id/photos", HANDLE],
  ["GET /api/v1/alerts/:id/photos/:photo", VIEW],
  ["GET /api/v1/incidents", VIEW],
  ["GET /api/v1/incidents/:id", VIEW],
  ["POST /api/v1/incidents/:id/acknowledge", HANDLE],
  ["POST /api/v1/incidents/:id/assign", HANDLE],
  ["POST /api/v1/incidents/:id/comment", HANDLE],
  ["POST /api/v1/incidents/:id/start", HANDLE],
  ["POST /api/v1/incidents/:id/close", HANDLE],
  ["POST /api/v1/incidents/:id/reopen", HANDLE],
  ["GET /api/v1/crews", VIEW],
  ["PUT /api/v1/crews/:id", ADMIN],
  ["DELETE /api/v1/crews/:id", ADMIN],
  ["GET /api/v1/assignees", HANDLE],
  ["GET /api/v1/silences", VIEW],
  ["GET /api/v1/silences/windows", VIEW],
  ["GET /api/v1/silences/:id", VIEW],
  ["POST /api/v1/silences", MANAGE],
  ["POST /api/v1/silences/preview", MANAGE],
  ["DELETE /api/v1/silences/:id", MANAGE],
  ["GET /api/v1/rules", VIEW],
  ["GET /api/v1/rules/:id", VIEW],
  ["GET /api/v1/rules/:id/versions", VIEW],
  ["PUT /api/v1/rules/:id", MANAGE],
  ["DELETE /api/v1/rules/:id", MANAGE],
  ["POST /api/v1/rules/:id/promote", MANAGE],
  ["POST /api/v1/rules/:id/backtest", MANAGE],
  ["POST /api/v1/rules/backtest", MANAGE],
  ["POST /api/v1/rules/check", MANAGE],
  ["GET /api/v1/rules/:id/stats", VIEW],
  ["GET /api/v1/schemas/rules", VIEW],
  ["GET /api/v1/devices", MANAGE],
  ["POST /api/v1/devices", MANAGE],
  ["DELETE /api/v1/devices/:id", MANAGE],
  ["POST /api/v1/devices/:id/rotate", MANAGE],
  ["GET /api/v1/gateways", MANAGE],
  ["POST /api/v1/gateways", MANAGE],
  ["PATCH /api/v1/gateways/:id", MANAGE],
  ["DELETE /api/v1/gateways/:id", MANAGE],
  ["POST /api/v1/gateways/:id/rotate", MANAGE],
  ["GET /api/v1/mappings", VIEW],
  ["GET /api/v1/mappings/:id", MANAGE],
  ["GET /api/v1/mappings/:id/versions", MANAGE],
  ["PUT /api/v1/mappings/:id", MANAGE],
  ["DELETE /api/v1/mappings/:id", MANAGE],
  ["POST /api/v1/mappings/check", MANAGE],
  ["POST /api/v1/mappings/try", MANAGE],
  ["GET /api/v1/mapping-bases", VIEW],
  ["GET /api/v1/mappings/:id/messages", MANAGE],
  ["GET /api/v1/unmapped", MANAGE],
  ["GET /api/v1/unmapped/suggestion", MANAGE],
  // Each looks for the secret where its senders can put it.
  ...DOORS.map((path) => [`POST ${path}`, "public"] as const),
  ["GET /ping", "public"],
  ["GET /api/v1/targets", ADMIN],
  ["POST /api/v1/targets", ADMIN],
  ["GET /api/v1/targets/:id", ADMIN],
  ["PUT /api/v1/targets/:id", ADMIN],
  ["DELETE /api/v1/targets/:id", ADMIN],
  ["POST /api/v1/targets/:id/test", ADMIN],
  ["GET /api/v1/users", ADMIN],
  ["POST /api/v1/users", ADMIN],
  ["PATCH /api/v1/users/:id", ADMIN],
  ["DELETE /api/v1/users/:id", ADMIN],
  ["POST /api/v1/users/:id/password", ADMIN],
  ["POST /api/v1/users/:id/sign-out", ADMIN],
  ["GET /api/v1/quarantine", MANAGE],
  ["GET /api/v1/quarantine/sensors", MANAGE],
  ["GET /api/v1/quarantine/:id", MANAGE],
  ["POST /api/v1/quarantine/redrive", MANAGE],
  ["POST /api/v1/quarantine/dismiss", MANAGE],
  ["POST /api/v1/quarantine/correct", MANAGE],
  ["POST /api/v1/quarantine/:id/edit", MANAGE],
  ["GET /api/v1/ledger", VIEW],
  ["GET /api/v1/ledger/trace", MANAGE],
  ["GET /api/v1/store", MANAGE],
  ["POST /api/v1/backup", ADMIN],
  ["GET /api/v1/audit", MANAGE],
  ["GET /api/v1/audit/verify", ADMIN],
  ["GET /api/v1/audit/export", MANAGE],
  ["GET /api/v1/map", VIEW],
  ["GET /api/v1/map/:name", VIEW],
  ["PUT /api/v1/map/:name", ADMIN],
  ["DELETE /api/v1/map/:name", ADMIN],
  ["GET /api/v1/report", VIEW],
  ["GET /api/v1/capture", VIEW],
  ["GET /api/v1/session/notifications", VIEW],
  ["PUT /api/v1/session/notifications", VIEW],
  ["POST /api/v1/session/notifications/test", VIEW],
  ["POST /api/v1/session/browsers", VIEW],
  ["DELETE /api/v1/session/browsers/:id", VIEW],
  ["GET /api/v1/views", VIEW],
  ["POST /api/v1/views", VIEW],
  ["DELETE /api/v1/views/:id", VIEW],
  ["GET /api/v1/favourites", VIEW],
  ["PUT /api/v1/favourites/:id", VIEW],
  ["DELETE /api/v1/favourites/:id", VIEW],
  ["GET /api/v1/handover", VIEW],
  ["POST /api/v1/handover", HANDLE],
  ["POST /api/v1/handover/:id/seen", HANDLE],
  ["GET /api/v1/sensors/:id/annotations", VIEW],
  ["POST /api/v1/sensors/:id/annotations", HANDLE],
  ["DELETE /api/v1/annotations/:id", HANDLE],
  ["GET /api/v1/wall-displays", ADMIN],
  ["POST /api/v1/wall-displays", ADMIN],
  ["DELETE /api/v1/wall-displays/:id", ADMIN],
  // They look for the display's token, which is no account's.
  ["GET /api/v1/wall", "public"],
  ["GET /api/v1/wall/events", "public"],
  ["GET /api/v1/status", VIEW],
  ["GET /api/v1/simulations", VIEW],
  ["POST /api/v1/simulations", ADMIN],
  ["DELETE /api/v1/simulations/:id", ADMIN],
  ["GET /api/v1/recordings", VIEW],
  ["GET /api/v1/recordings/:id", VIEW],
  ["POST /api/v1/recordings", MANAGE],
  ["POST /api/v1/recordings/:id/stop", MANAGE],
  ["DELETE /api/v1/recordings/:id", MANAGE],
  ["GET /api/v1/events", VIEW],
  ["GET /api/v1/session", "public"],
  ["POST /api/v1/session", "public"],
  ["DELETE /api/v1/session", "public"],
  ["PUT /api/v1/session/password", VIEW],
  ["GET /api/v1/city", "public"],
]);

/** HEAD asks for what GET would show. `path` is the pattern of the route, not the address called. */
export function permissionOf(method: string, path: string): Permission | undefined {
  const verb = method === "HEAD" ? "GET" : method;
  if (verb === "GET" && (path === "/docs" || path.startsWith("/docs/"))) return "public";
  return PERMISSIONS.get(`${verb} ${path}`);
}

/** Devices and gateways share one role over HTTP. */
export function roleOf(account: Account): Role {
  return account.role === "gateway" ? "device" : account.role;
}

export function mayCall(permission: Permission, account: Account): boolean {
  if (permission === "public") return true;
  const roles: readonly Role[] = permission === "loopback" ? VIEW : permission;
  return roles.includes(roleOf(account));
}
