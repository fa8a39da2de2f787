import { createCipheriv, createECDH, createPrivateKey, hkdfSync, randomBytes, sign } from "node:crypto";
import type { PushKeys } from "../../model/push.ts";

/** The key pair that push services know this service by (RFC 8292), as JWK. */
export type VapidKeys = {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly d: string;
};

/** One record holds all: a message is at most 4,096 bytes with its head (RFC 8291, section 4). */
const RECORD_BYTES = 4_096;
export const PLAIN_BYTES_MAX = 3_000;
const TOKEN_S = 12 * 3_600;

const bytes = (text: string) => Buffer.from(text, "base64url");

type Chance = { readonly privateKey: Buffer; readonly salt: Buffer };

/**
 * The body of a push message: encrypted for one browser, so that the push service in between reads nothing (RFC 8291, the
 * coding is `aes128gcm` of RFC 8188). `chance` only where a test knows what must come out.
 */
export function encryptPush({ p256dh, auth }: PushKeys, plain: Uint8Array, chance?: Chance): Buffer {
  const own = createECDH("prime256v1");
  if (chance) own.setPrivateKey(chance.privateKey);
  else own.generateKeys();
  const [theirs, ours] = [bytes(p256dh), own.getPublicKey()];
  const salt = chance?.salt ?? randomBytes(16);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), theirs, ours]);
  const secret = Buffer.from(hkdfSync("sha256", own.computeSecret(theirs), bytes(auth), info, 32));
  const key = Buffer.from(hkdfSync("sha256", secret, salt, "Content-Encoding: aes128gcm\0", 16));
  const nonce = Buffer.from(hkdfSync("sha256", secret, salt, "Content-Encoding: nonce\0", 12));
  const head = Buffer.alloc(21);
  salt.copy(head);
  head.writeUInt32BE(RECORD_BYTES, 16);
  head.writeUInt8(ours.length, 20);
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  // 2: this is the last record, without padding.
  const sealed = [cipher.update(plain), cipher.update(Buffer.of(2)), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat([head, ours, ...sealed]);
}

/** The public key as browsers want it to subscribe. */
export function publicKeyOf({ x, y }: VapidKeys): string {
  return Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]).toString("base64url");
}

/** Who sends, signed for one push service (RFC 8292). `contact`: https: or mailto:, for when something is wrong. */
export function vapidHeader(keys: VapidKeys, endpoint: string, contact: string | undefined, nowMs: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    aud: new URL(endpoint).origin,
    exp: Math.floor(nowMs / 1_000) + TOKEN_S,
    ...(contact === undefined ? {} : { sub: contact }),
  };
  const signed = `${part({ typ: "JWT", alg: "ES256" })}.${part(claims)}`;
  const key = createPrivateKey({ key: keys, format: "jwk" });
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
  return `vapid t=${signed}.${signature}, k=${publicKeyOf(keys)}`;
}
