import { describe, expect, it } from "vitest";
import { hashSecret, newSecret } from "../../model/secret.ts";

describe("secrets", () => {
  it("are 32 random bytes in characters that fit a URL and a shell", () => {
    const secrets = new Set(Array.from({ length: 1_000 }, newSecret));
    expect(secrets.size).toBe(1_000);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it("are kept as SHA-256 (the vector of FIPS 180-2)", () => {
    expect(hashSecret("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});
