import { generateKeyPairSync } from "node:crypto";
import type { PersonalNotify, PushSubscription } from "../../model/push.ts";
import type { Database } from "./database.ts";

type Row = {
  id: number;
  account: string;
  endpoint: string;
  p256dh: string;
  auth: string;
  label: string;
  created_at: number;
};

/** JWK of a key pair on P-256. */
type Keys = { readonly kty: "EC"; readonly crv: "P-256"; readonly x: string; readonly y: string; readonly d: string };

/** How people want to be told, their browsers, and the keys that push services know this service by. */
export function createPushRecords(db: Database) {
  let known: Keys | undefined;

  function keys(): Keys {
    known ??= read() ?? make();
    return known;
  }

  function read(): Keys | undefined {
    const row = db.statement("SELECT body FROM push_keys WHERE id = 1").get() as { body: string } | undefined;
    return row && (JSON.parse(row.body) as Keys);
  }

  /** Once for the life of the data folder: browsers subscribe to these. */
  function make(): Keys {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const made = privateKey.export({ format: "jwk" }) as Keys;
    db.transaction(() => db.statement("INSERT INTO push_keys (id, body) VALUES (1, ?)").run(JSON.stringify(made)));
    return made;
  }

  const fromRow = ({ id, account, endpoint, p256dh, auth, label, created_at }: Row): PushSubscription => {
    return { id, account, endpoint, keys: { p256dh, auth }, label, createdAt: created_at };
  };

  return {
    keys,
    /** As browsers want it to subscribe: the point, uncompressed, in base64url. */
    publicKey(): string {
      const { x, y } = keys();
      const part = (text: string) => Buffer.from(text, "base64url");
      return Buffer.concat([Buffer.of(4), part(x), part(y)]).toString("base64url");
    },
    list: (account: string): PushSubscription[] =>
      (db.statement("SELECT * FROM push_subscriptions WHERE account = ? ORDER BY id").all(account) as Row[]).map(
        fromRow,
      ),
    count: (): number => (db.statement("SELECT count(*) AS n FROM push_subscriptions").get() as { n: number }).n,
    /** A browser that subscribes again, or somebody else in it, takes the place of the former entry. */
    add({ account, endpoint, keys: { p256dh, auth }, label, createdAt }: Omit<PushSubscription, "id">): number {
      return db.transaction(() => {
        db.statement("DELETE FROM push_subscriptions WHERE endpoint = ?").run(endpoint);
        const insert = db.statement(
          "INSERT INTO push_subscriptions (account, endpoint, p256dh, auth, label, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        );
        return Number(insert.run(account, endpoint, p256dh, auth, label, createdAt).lastInsertRowid);
      });
    },
    /** False if this account has none of this id. */
    remove: (account: string, id: number): boolean =>
      db.transaction(
        () => db.statement("DELETE FROM push_subscriptions WHERE account = ? AND id = ?").run(account, id).changes > 0,
      ),
    wishes(account: string): PersonalNotify | undefined {
      const row = db.statement("SELECT body FROM personal_notify WHERE account = ?").get(account);
      return row && (JSON.parse((row as { body: string }).body) as PersonalNotify);
    },
    wish: (account: string, wishes: PersonalNotify) =>
      void db.transaction(() =>
        db
          .statement("INSERT OR REPLACE INTO personal_notify (account, body) VALUES (?, ?)")
          .run(account, JSON.stringify(wishes)),
      ),
  };
}
