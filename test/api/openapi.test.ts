import { afterAll, describe, expect, it } from "vitest";
import { DOORS, LOOSE_FILES, PAGE_PATHS, PERMISSIONS } from "../../api/permissions.ts";
import { startService } from "./service.ts";

type Response = { content?: Record<string, { schema: unknown }> };
type Operation = { responses: Record<string, Response>; summary?: string; security?: unknown[] };
type Document = { openapi: string; paths: Record<string, Record<string, Operation>>; components: { schemas: object } };

const service = startService();
afterAll(service.close);

async function read(): Promise<Document> {
  const answer = await service.as(undefined, "GET", "/openapi.json");
  expect(answer.statusCode).toBe(200);
  return answer.json();
}

function refsOf(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "$ref" in value && typeof value.$ref === "string" ? [value.$ref] : [];
  return [...own, ...Object.values(value).flatMap(refsOf)];
}

describe("the OpenAPI document", () => {
  it("is 3.1 and every $ref leads somewhere", async () => {
    const document = await read();
    expect(document.openapi).toBe("3.1.0");
    const refs = refsOf(document);
    expect(refs.length).toBeGreaterThan(100);
    const schemas = new Set(Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`));
    expect(refs.filter((ref) => !schemas.has(ref))).toEqual([]);
  });

  it("has every route of the permission table, with an answer and its problems", async () => {
    const { paths } = await read();
    const hidden = [
      "/assets/:file",
      "/city-metrics.js",
      "/openapi.json",
      ...PAGE_PATHS,
      ...LOOSE_FILES.map((file) => `/${file}`),
    ].map((path) => `GET ${path}`);
    // The doors of other makers speak their makers' protocols: docs/integrations.
    const doors = [...DOORS.map((path) => `POST ${path}`), "GET /ping"];
    const wanted = [...PERMISSIONS.keys()].filter((key) => !hidden.includes(key) && !doors.includes(key));
    const have = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ":$1")}`),
    );
    expect(have.sort()).toEqual(wanted.sort());
  });

  it("gives every operation a summary, a success and problems of type application/problem+json", async () => {
    const { paths } = await read();
    for (const [path, operations] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const statuses = Object.keys(operation.responses);
        expect(operation.summary, `${method} ${path}`).toBeTruthy();
        expect(
          statuses.some((status) => status.startsWith("2")),
          `${method} ${path}`,
        ).toBe(true);
        const problems = Object.values(operation.responses).filter((one) => one.content?.["application/problem+json"]);
        expect(problems.length, `${method} ${path}`).toBeGreaterThanOrEqual(2);
        if (path.startsWith("/api/v1")) expect(statuses).toEqual(expect.arrayContaining(["401", "403", "429", "500"]));
      }
    }
  });

  it("is shown at /docs from this service only", async () => {
    const page = await service.as(undefined, "GET", "/docs");
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toMatch(/(src|href)="https?:/);
    const script = await service.as(undefined, "GET", "/docs/static/swagger-ui-bundle.js");
    expect(script.statusCode).toBe(200);
    expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
  });
});
