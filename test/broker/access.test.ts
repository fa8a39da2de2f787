import { describe, expect, it } from "vitest";
import { mayUse } from "../../broker/access.ts";
import type { Account } from "../../model/people.ts";
import { ACCOUNTS, ADMIN, CREW, DEVICE, GATEWAY, IMPORTER, OPERATOR, VIEWER } from "./broker-fixture.ts";

const TOPICS = ["city", "import"].flatMap((root) =>
  ["north", "harbour", "south"].flatMap((district) =>
    ["air", "traffic", "water"].flatMap((kind) =>
      ["no2-1", "no2-2", "NO2"].flatMap((id) =>
        ["", "/status", "/rejected", "/other"].map((end) => `${root}/${district}/${kind}/${id}${end}`),
      ),
    ),
  ),
);
const ODD = [
  "$SYS/x/new/clients",
  "$share/g/city/north/air/no2-1",
  "alerts/north/critical/a1",
  "alerts",
  "city",
  "city/north",
  "city/north/air",
  "city/north/air/no2-1/status/more",
  "/city/north/air/no2-1",
  "city//air/no2-1",
  "city/north/air/no2-1/",
  "city/north/air/__proto__",
  `city/north/air/${"x".repeat(300)}`,
  "cityx/north/air/no2-1",
  "CITY/north/air/no2-1",
];
const FILTERS = [
  "#",
  "+/#",
  "+",
  "+/north/#",
  "$SYS/#",
  "$SYS/+/new/clients",
  "city/#",
  "city/+/air/#",
  "city/north/#",
  "city/north/+/no2-1",
  "city/north/air/no2-1/#",
  "city/north/air/no2-1/+",
  "city/harbour/#",
  "city/south/#",
  "city/+/air/no2-1/status",
  "alerts/#",
  "alerts/north/#",
  "alerts/+/critical/+",
  "import/#",
  "import/north/#",
  "city/a+/x",
  "city/#/air",
  "city/north#",
];

/** The table of the rule once more, written as patterns: what each account may publish to, and the widest it may hear. */
const MAY: Readonly<Record<string, { publish: RegExp[]; hear: RegExp[] }>> = {
  [DEVICE.name]: {
    publish: [/^city\/north\/air\/no2-1(\/status)?$/],
    hear: [/^city\/north\/air\/no2-1\/(status|rejected)$/],
  },
  "no2-2": {
    publish: [/^city\/north\/air\/no2-2(\/status)?$/],
    hear: [/^city\/north\/air\/no2-2\/(status|rejected)$/],
  },
  [GATEWAY.name]: {
    publish: [/^city\/(north|harbour)\/(air|traffic|energy)\/[a-z0-9][a-z0-9-]{0,63}(\/status)?$/],
    hear: [/^city\/(north|harbour)\/.+$/, /^city\/(north|harbour)\/$/],
  },
  [IMPORTER.name]: {
    publish: [
      /^city\/(north|harbour)\/(air|traffic|energy)\/[a-z0-9][a-z0-9-]{0,63}(\/status)?$/,
      /^import\/(north|harbour)\/(air|traffic|energy)\/[a-z0-9][a-z0-9-]{0,63}$/,
    ],
    hear: [/^city\/(north|harbour)\/.+$/],
  },
  ...Object.fromEntries(
    [OPERATOR, VIEWER, CREW, ADMIN].map(({ name }) => [name, { publish: [], hear: [/^(city|alerts)\/.+$/] }]),
  ),
};
const malformed = (filter: string) => /[^/]#|#.|[^/]\+|\+[^/]/.test(filter);
const wild = (topic: string) => /[+#]/.test(topic);

function expected(account: Account, action: "publish" | "subscribe" | "forward", topic: string): boolean {
  if (topic.length > 256 || malformed(topic) || (action !== "subscribe" && wild(topic))) return false;
  const heard = action === "subscribe" ? topic.replace(/^\$share\/[^/]+\//, "") : topic;
  return MAY[account.name]![action === "publish" ? "publish" : "hear"].some((pattern) => pattern.test(heard));
}

describe("mayUse", () => {
  it("answers every cell of accounts x actions x topics as the table says", () => {
    let cells = 0;
    const wrong: string[] = [];
    for (const account of ACCOUNTS) {
      for (const action of ["publish", "subscribe", "forward"] as const) {
        const topics = [...TOPICS, ...ODD, ...(action === "subscribe" ? FILTERS : [])];
        for (const topic of topics) {
          cells += 1;
          const { allowed } = mayUse(account, action, topic);
          if (allowed !== expected(account, action, topic))
            wrong.push(`${account.name} ${action} ${topic}: ${allowed}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(cells).toBeGreaterThan(5_000);
  });

  it("names the reason", () => {
    expect(mayUse(DEVICE, "publish", "city/north/air/no2-2")).toEqual({ allowed: false, reason: "not_yours" });
    expect(mayUse(DEVICE, "publish", "$SYS/x")).toEqual({ allowed: false, reason: "reserved_topic" });
    expect(mayUse(OPERATOR, "publish", "city/north/air/no2-1")).toEqual({ allowed: false, reason: "read_only" });
    expect(mayUse(GATEWAY, "publish", "import/north/air/no2-1")).toEqual({ allowed: false, reason: "not_yours" });
    expect(mayUse(OPERATOR, "subscribe", "x".repeat(257))).toEqual({ allowed: false, reason: "topic_too_long" });
  });

  it("lets a gateway publish to the topics of other formats it was given, and to nothing beside them", () => {
    const speaker: Account = {
      ...GATEWAY,
      accepts: [{ mapping: "ttn", topics: ["v3/+/devices/+/up", "tele/#"] }],
    } as Account;
    const may = (topic: string) => mayUse(speaker, "publish", topic).allowed;
    expect(["v3/app@ttn/devices/eui-1/up", "tele/Plug 1/SENSOR", "tele"].filter((topic) => !may(topic))).toEqual([]);
    expect(["v3/app@ttn/devices/eui-1/join", "zigbee2mqtt/x", "city/south/air/x", "$SYS/x"].filter(may)).toEqual([]);
    expect(mayUse(speaker, "subscribe", "tele/#").allowed).toBe(false);
    expect(mayUse({ ...DEVICE, accepts: [{ mapping: "ttn", topics: ["#"] }] } as Account, "publish", "tele/x")).toEqual(
      {
        allowed: false,
        reason: "unknown_topic",
      },
    );
  });

  it("denies everything to an account of an unknown role", () => {
    const stranger = { role: "root", name: "x", districts: ["north"], mayImport: true } as unknown as Account;
    for (const action of ["publish", "subscribe", "forward"] as const) {
      for (const topic of ["city/north/air/no2-1", "alerts/north/critical/a1"]) {
        expect(mayUse(stranger, action, topic).allowed).toBe(false);
      }
    }
  });
});
