import { type Attack, DISTRICT, type Target } from "./attack.ts";

/** The process an attack runs in: `node attacker.ts`, then one message with the order. Answers with one `Outcome`. */
export type Order = {
  readonly file: string;
  readonly forMs: number;
  readonly where: Pick<Target, "http" | "mqtt" | "adminToken" | "dataDir" | "pid">;
};
export type Outcome = { readonly did: string } | { readonly failed: string };

function createTarget(where: Order["where"]): Target {
  const headers = { authorization: `Bearer ${where.adminToken}`, "content-type": "application/json" };
  async function api(path: string, body?: unknown, method = body === undefined ? "GET" : "POST") {
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    const response = await fetch(`${where.http}/api/v1${path}`, init);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  }
  return {
    ...where,
    api: (path, body, method) => api(path, body, method) as Promise<never>,
    device: (sensorId, place) =>
      api("/devices", { sensorId, kind: "air", district: DISTRICT, ...place }) as Promise<never>,
    gateway: (name, districts = [DISTRICT]) => api("/gateways", { name, districts }) as Promise<never>,
    user: (name, role) => api("/users", { name, role }) as Promise<never>,
  };
}

async function attack({ file, forMs, where }: Order): Promise<Outcome> {
  try {
    const { attack } = (await import(file)) as { attack: Attack };
    return { did: await attack.run(createTarget(where), AbortSignal.timeout(forMs)) };
  } catch (error) {
    return { failed: (error as Error).stack ?? String(error) };
  }
}

process.once("message", (order) => {
  void attack(order as Order).then((outcome) => process.send!(outcome, () => process.exit(0)));
});
