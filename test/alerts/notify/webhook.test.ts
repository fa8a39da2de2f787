import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { payloadOf, signature, webhookHeaders } from "../../../alerts/channels/webhook.ts";
import { whsecBytes } from "../../../model/target.ts";
import { T0 } from "../builders.ts";
import { aNotice, aTarget } from "./world.ts";

const SECRET = "whsec_bGFtcHBvc3Qtd2ViaG9vay10ZXN0LWtleS0zMmJ5dGU=";
const OTHER = `whsec_${Buffer.from("another-key-of-thirty-two-bytes!").toString("base64")}`;

/** A receiver as a customer would write it: not our own function. */
function isSigned(secret: string, headers: Record<string, string>, body: string): boolean {
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const expected = createHmac("sha256", key).update(signed).digest("base64");
  return (headers["webhook-signature"] ?? "").split(" ").includes(`v1,${expected}`);
}

const telling = { reader: { locale: "en", zone: "UTC" } } as const;

describe("a signed webhook", () => {
  it("has the signature that openssl computes", () => {
    // printf '%s' 'msg_test_1.1764000000.{"type":"alert.firing"}' | openssl dgst -sha256 -mac HMAC -macopt hexkey:... -binary | base64
    expect(signature(SECRET, "msg_test_1", 1_764_000_000, '{"type":"alert.firing"}')).toBe(
      "v1,y2VHWQPd/DlwQvMk4NNxlWgNQelERTYaDRIXk9fcCv4=",
    );
  });

  it("is signed over id, time and body: a change of any of them shows", () => {
    const body = payloadOf([aNotice()], telling);
    const headers = webhookHeaders(aTarget({ secret: SECRET }), "msg_1", body, T0);
    expect(headers["webhook-timestamp"]).toBe(String(T0 / 1_000));
    expect(isSigned(SECRET, headers, body)).toBe(true);
    expect(isSigned(SECRET, headers, `${body} `)).toBe(false);
    expect(isSigned(SECRET, { ...headers, "webhook-id": "msg_2" }, body)).toBe(false);
    expect(isSigned(SECRET, { ...headers, "webhook-timestamp": "1" }, body)).toBe(false);
    expect(isSigned(OTHER, headers, body)).toBe(false);
  });

  it("carries both signatures while a secret is being changed, and only the new one afterwards", () => {
    const target = aTarget({ secret: SECRET, formerSecret: { secret: OTHER, until: T0 + 1_000 } });
    const during = webhookHeaders(target, "msg_1", "{}", T0);
    expect([isSigned(SECRET, during, "{}"), isSigned(OTHER, during, "{}")]).toEqual([true, true]);
    const after = webhookHeaders(target, "msg_1", "{}", T0 + 1_000);
    expect([isSigned(SECRET, after, "{}"), isSigned(OTHER, after, "{}")]).toEqual([true, false]);
  });

  it("knows a secret when it sees one", () => {
    expect(whsecBytes(SECRET)).toHaveLength(32);
    for (const bad of [
      "",
      "whsec_",
      "whsec_c2hvcnQ=",
      "secret",
      SECRET.slice(6),
      `${SECRET}\n`,
      `whsec_${"A".repeat(100)}`,
    ])
      expect(whsecBytes(bad), bad).toBeUndefined();
  });

  it("says what happened and shows the alert as the API does", () => {
    expect(JSON.parse(payloadOf([aNotice()], telling))).toMatchObject({
      type: "alert.firing",
      timestamp: new Date(T0).toISOString(),
      data: { id: "al-1", startedAt: new Date(T0).toISOString(), rule: { id: "no2-high" } },
    });
    const group = JSON.parse(payloadOf([aNotice(), aNotice({ id: "al-2" }, "resolved")], telling));
    expect(group).toMatchObject({ type: "alert.group", data: [{ type: "alert.firing" }, { type: "alert.resolved" }] });
  });
});
