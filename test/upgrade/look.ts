import { DAY_MS } from "../../model/time.ts";
import type { City } from "../helpers/city.ts";

/** What a service says of the things that must outlive any change of version. */
export async function look(city: Pick<City, "api">, made = Date.now()) {
  const all = async (path: string) => (await city.api(`${path}?limit=500`)).items as Record<string, unknown>[];
  const sensors = (await all("/sensors")).map(({ id, kind, district, name }) => ({ id, kind, district, name }));
  const readings: Record<string, unknown> = {};
  const hours: Record<string, unknown> = {};
  for (const { id } of sensors) {
    const range = `from=${new Date(made - 4 * DAY_MS).toISOString()}&to=${new Date(made).toISOString()}`;
    readings[id as string] = (await city.api(`/sensors/${id}/readings?${range}&limit=500`)).items;
    // How suspect values count in means is no matter of what is on disk; air-2 has one.
    if (id !== "air-2") hours[id as string] = (await city.api(`/sensors/${id}/readings?${range}&every=1h`)).items;
  }
  const alerts: unknown[] = [];
  for (const { id } of await all("/alerts")) {
    const { rule, subject, state, handling, severity, startedAt, value, limit, review, timeline } = await city.api(
      `/alerts/${id}`,
    );
    const deeds = (timeline as { what: string; by?: string; note?: string }[]).map(({ what, by, note }) => ({
      what,
      by,
      note,
    }));
    alerts.push({ id, rule: rule.id, subject, state, handling, severity, startedAt, value, limit, review, deeds });
  }
  const { received, stored, duplicate, quarantined, inJournal, balanced } = await city.api("/ledger");
  const seen = {
    sensors,
    made,
    readings,
    hours,
    alerts,
    users: (await all("/users")).map(({ username, role }) => ({ username, role })),
    gateways: await all("/gateways"),
    targets: (await all("/targets")).map(({ id, name, type }) => ({ id, name, type })),
    rules: (await all("/rules")).map(({ id, mode, condition, changed }) => ({ id, mode, condition, changed })),
    silences: (await all("/silences")).map(({ id, reason, createdBy, endsAt }) => ({ id, reason, createdBy, endsAt })),
    quarantine: (await all("/quarantine")).map(({ reason, topic, detail }) => ({ reason, topic, detail })),
    ledger: { received, stored, duplicate, quarantined, inJournal, balanced },
    audit: await city.api("/audit/verify"),
  };
  // As it stands in the archive: without what is undefined.
  return JSON.parse(JSON.stringify(seen)) as typeof seen;
}
