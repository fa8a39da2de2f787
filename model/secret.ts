import { createHash, randomBytes } from "node:crypto";

const SECRET_BYTES = 32;

/** A secret nobody can guess: 32 random bytes as base64url, 43 characters. Shown once, never kept. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/**
 * SHA-256 (hex): what is kept of a secret. A slow password hash would add nothing, because 256 random bits cannot be
 * tried out, and it would cost the broker its connects per second.
 */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
