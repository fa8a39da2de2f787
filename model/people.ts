import type { Kind } from "./kinds.ts";

/** Who may do what over HTTP and MQTT. `device` covers devices and gateways. */
export const ROLES = ["viewer", "crew", "operator", "admin", "device"] as const;
export type Role = (typeof ROLES)[number];

/** Someone or something that showed a valid secret. */
export type Account =
  | {
      readonly role: "device";
      readonly name: string;
      readonly sensorId: string;
      readonly district: string;
      readonly kind: string;
      /** Districts it stood in before: what it sends to a topic of these is told where to go. */
      readonly former?: readonly string[];
    }
  | {
      readonly role: "gateway";
      readonly name: string;
      readonly districts: readonly string[];
      readonly mayImport: boolean;
      /** Mappings it may use, each with the MQTT topics (as filters) that are read by it. Also over HTTP. */
      readonly accepts?: readonly Acceptance[];
    }
  | {
      readonly role: "viewer" | "crew" | "operator" | "admin";
      readonly name: string;
      /** As people call them; `name` is what they sign in with. */
      readonly displayName?: string;
    };

/** People who work together. Alerts can be assigned to it as to one of them. `districts`, `kinds`: none are all. */
export type Crew = {
  readonly id: string;
  readonly members: readonly string[];
  readonly districts: readonly string[];
  readonly kinds: readonly Kind[];
};

export type Acceptance = { readonly mapping: string; readonly topics: readonly string[] };

/** An account with the SHA-256 (hex) of its secret: what is kept and what the edge thread looks up. */
export type Credential = {
  readonly account: Account;
  readonly secretHash: string;
  /** The secret before, while both are taken: until this one is used for the first time, at the latest until then. */
  readonly former?: { readonly secretHash: string; readonly until: number };
};
