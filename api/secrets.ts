import { createHash, randomBytes } from "node:crypto";

/** 256 random bits: too many to guess, so a fast hash is enough to keep. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** SHA-256 in hex: what is kept of a secret. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
