import mqtt from "mqtt";
import { describe, expect, it } from "vitest";
import { until } from "../helpers/city.ts";
import { expectAccessible, expectEachTheme, HAS_BROWSER, shoot } from "./browser.ts";
import { useSite } from "./site.ts";

const YAML = `# Nodes that schools have built.
base: sensor-community
district: north
sensors:
  - { device: esp8266-1, sensor: school-1 } # the first
samples: []
`;
const node = (id: string, p1: string, password: string) => ({
  method: "POST",
  headers: { "x-sensor": id, "x-pin": "1", authorization: `Bearer ${password}` },
  body: JSON.stringify({ sensordatavalues: [{ value_type: "SDS_P1", value: p1 }] }),
});

describe.runIf(HAS_BROWSER)("mappings on the page", () => {
  const site = useSite(async (city) => {
    await city.api("/mappings/schools", { yaml: YAML, reason: "the first school" }, "PUT");
    const accepts = [
      { mapping: "schools", topics: [] },
      { mapping: "weather", topics: ["weather/#"] },
    ];
    const login = await city.api("/gateways", { name: "gw-schools", districts: ["north"], accepts });
    const send = (id: string, value: string) => fetch(`${city.http}/in/schools`, node(id, value, login.password));
    await send("esp8266-1", "11.5");
    for (const value of ["14.35", "15"]) await send("esp8266-7", value);
    const client = await mqtt.connectAsync(city.mqtt, login);
    await client.publishAsync("weather/roof-3/up", `{"temp":21.5,"humidity":"60","light":3}`, { qos: 1 });
    await client.endAsync();
    await until(
      () => city.api("/unmapped"),
      ({ items }) => items.length === 2,
    );
  });
  const values = async (sensor: string): Promise<number[]> => {
    const answer = await site.city.call(`/api/v1/sensors/${sensor}/readings`);
    if (!answer.ok) return [];
    const { items } = (await answer.json()) as { items: { values: { pm10: number } }[] };
    return items.map((one) => one.values.pm10).sort((a, b) => a - b);
  };

  it("takes two clicks from a sender that is heard to a sensor, and what waited is read", async () => {
    const { page, complaints, goTo, close } = await site.visit();
    await goTo("/admin?tab=mappings");
    const row = page.getByRole("row").filter({ hasText: "esp8266-7" });
    await row.getByText("SDS_P1").waitFor();
    await expectEachTheme(page, "mappings");
    await row.getByRole("link", { name: "Map it: esp8266-7" }).click();

    const result = page.getByRole("status", { name: "What becomes of it" });
    await result.getByText("esp8266-7").waitFor();
    await result.getByText("15 µg/m³").waitFor();
    await page.getByLabel("Read again 2 messages that wait").waitFor();
    await expectEachTheme(page, "mapping-of-sender");
    await page.getByRole("button", { name: "Save", exact: true }).click();

    await page.getByText("Version 2 is in force. 2 messages are read again.").waitFor();
    await expect.poll(() => values("esp8266-7")).toEqual([14.35, 15]);
    const { yaml } = await site.city.api("/mappings/schools");
    expect(yaml).toBe(
      YAML.replace("# the first\n", "# the first\n  - { device: esp8266-7, sensor: esp8266-7, kind: air }\n").replace(
        ", kind: air",
        "",
      ),
    );
    const audit: { what: string; detail: string }[] = (await site.city.api("/audit")).items;
    expect(audit.find(({ what }) => what === "mapping.changed")?.detail).toBe("version 2: A sensor for esp8266-7");
    expect((await site.city.api("/unmapped")).items).toMatchObject([{ device: "weather/roof-3/up" }]);
    expect(complaints).toEqual([]);
    await close();
  });

  it("reads the last real message anew while one types, and says what is wrong beside its line", async () => {
    const { page, complaints, goTo, close } = await site.visit({ size: "phone", touch: true });
    await goTo("/mappings/schools");
    const result = page.getByRole("status", { name: "What becomes of it" });
    await result.getByText("µg/m³").first().waitFor();
    await expectAccessible(page);
    await shoot(page, "mapping-phone");
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(390);

    const text = page.getByRole("textbox", { name: "The mapping as YAML" });
    await text.focus();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("metrics:\n- { column: SDS_P1, metric: pm25, unit: bar }");
    await page.getByRole("button", { name: /^9:\d+ .*no conversion from bar for pm25/ }).waitFor();
    await result.getByText("free of mistakes").waitFor();
    expect(await page.getByRole("button", { name: "Save", exact: true }).isDisabled()).toBe(true);
    for (const _ of "bar }") await page.keyboard.press("Backspace");
    await page.keyboard.type("µg/m³ }");
    await result.getByText("Fine particles (PM2.5)").waitFor();

    await page.getByLabel("Payload").fill(`{"sensordatavalues":[{"value_type":"SDS_P1","value":"nan"}]}`);
    await result.getByText("No reading comes of it.").waitFor();
    await page.getByLabel("Payload").fill("{");
    await result.getByText(/Refused: .*Not valid JSON/).waitFor();
    await page.getByRole("heading", { name: "Versions" }).waitFor();
    expect(complaints).toEqual([]);
    await close();
  });

  it("proposes a mapping for a topic that none reads, by the names of its fields", async () => {
    const { page, goTo, close } = await site.visit({ language: "de-DE" });
    await goTo("/admin?tab=mappings");
    await page.getByRole("link", { name: "Zuordnen: weather/roof-3/up" }).click();
    const result = page.getByRole("status", { name: "Was daraus wird" });
    await result.getByText("21,5 °C").waitFor();
    await result.getByText("light").waitFor();
    expect(await page.getByLabel("Name der Zuordnung").inputValue()).toBe("weather");
    await expectAccessible(page);
    await shoot(page, "mapping-new-de");
    await page.getByRole("button", { name: "Speichern", exact: true }).click();
    await page.getByText("Version 1 gilt. 1 Nachricht wird noch einmal gelesen.").waitFor();
    const stored = () => site.city.call("/api/v1/sensors/roof-3/readings").then((answer) => answer.json());
    await expect.poll(stored).toMatchObject({ items: [{ values: { temperature: 21.5, relativeHumidity: 60 } }] });
    expect((await site.city.api("/unmapped")).items).toEqual([]);

    await goTo("/new-mapping?base=tts");
    await page.getByRole("button", { name: /^2:11 .*an id/ }).waitFor();
    await expectAccessible(page);
    await close();
  });
});
