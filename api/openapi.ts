import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifySchema } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { Api } from "./api.ts";
import { permissionOf } from "./permissions.ts";

const DESCRIPTION = `What a city's sensors say, the alerts that follow from it, and the books.
Every route below /api/v1 needs \`Authorization: Bearer <token>\`. Errors are RFC 9457 problems.
Lists come as pages: \`{items, next}\`, and \`next\` is the \`cursor\` of the next page.`;

/** Swagger UI sets style attributes; everything else it needs is served from here. */
const DOCS_CSP = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

/** OpenAPI 3.1 from the routes' schemas, and pages to read and try it. Call it before any route is added. */
export function addOpenApi(app: Api, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Lamppost",
        description: DESCRIPTION,
        version,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
    transform: (document) => {
      const { schema, url } = jsonSchemaTransform(document as Parameters<typeof jsonSchemaTransform>[0]);
      return { schema: describeAccess(schema, String(document.route.method), url), url };
    },
    transformObject: jsonSchemaTransformObject,
  });
  app.register(swaggerUi, {
    routePrefix: "/docs",
    staticCSP: DOCS_CSP,
    uiConfig: { docExpansion: "list", validatorUrl: null, persistAuthorization: false },
    theme: { title: "Lamppost API" },
  });
}

/** Who may call a route is part of what a reader of the document wants to know. */
function describeAccess(schema: FastifySchema, method: string, url: string): FastifySchema {
  const permission = permissionOf(method, url);
  if (permission === undefined || permission === "public") return { ...schema, security: [] };
  const roles =
    permission === "loopback" ? "this machine without a token, others viewer and up" : permission.join(", ");
  return {
    ...schema,
    security: [{ bearer: [] }],
    description: [schema.description, `Roles: ${roles}.`].filter(Boolean).join(" "),
  };
}
