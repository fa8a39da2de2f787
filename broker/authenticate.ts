import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import type { AuthenticateError, Client, ConnectPacket } from "aedes";
import { networkOf } from "../model/address.ts";
import { isId } from "../model/ids.ts";
import { senderKey } from "../model/message.ts";
import type { Account } from "../model/people.ts";
import { createByKey, newBucket, type RateLimit, take } from "../model/rate-limit.ts";
import { readStatus } from "../model/status.ts";
import { parseSensorTopic } from "../model/topics.ts";
import { isCleanText, mayUse } from "./access.ts";
import type { Will } from "./aedes-internals.ts";
import type { Refusal } from "./events.ts";
import { CODE } from "./mqtt5-properties.ts";
import { createMeter } from "./pace.ts";
import { type Asked, type Context, type Meter, type Session, whoIs } from "./session.ts";

/** MQTT 3.1.1 section 3.2.2.3. */
const RETURN_CODES: Partial<Record<Refusal, number>> = {
  bad_client_id: 2,
  unavailable: 3,
  account_connections_max: 3,
  bad_credentials: 4,
};

/** Characters: tools make up ids of their own, such as `mqttjs_1a2b3c4d` or `Telegraf-Consumer-…`. */
const CLIENT_ID_LENGTH_MAX = 256;
/** A connection may be silent for one and a half times its keepalive [MQTT-3.1.2-24]. */
const KEEPALIVE_TIMES = 1.5;
/** Two bytes. */
const KEEPALIVE_MAX_S = 65_535;
const NO_HASH = Buffer.alloc(32);
const ADDRESSES_MAX = 10_000;
const ACCOUNTS_MAX = 100_000;
/** Of one address. */
const LATE_ANSWERS_MAX = 20;

type Callback<Result> = (error: Result, success: boolean) => void;

/**
 * The hooks around CONNECT. Who shows the secret of a credential becomes its account. A client id says which of the
 * account's connections it is and nothing else: it may be any, because each account has its own.
 */
export function createAuthentication(context: Context) {
  const { options, ports, counts } = context;
  const answeredLate = new Map<string, number>();
  const failuresOf = createByKey(ADDRESSES_MAX, () => newBucket(options.loginFailures, ports.now()));
  const loginsOf = createByKey(ACCOUNTS_MAX, () => newBucket(options.logins, ports.now()));
  const metersOf = createMeters(context);

  function preConnect(client: Client, packet: ConnectPacket, done: Callback<Error | null>): void {
    const session = context.sessionOf(client);
    if (!session) return done(new Error("connection is not known"), false);
    const asked = readAsked(context, packet, session);
    session.asked = asked;
    if (asked.unfitWill) packet.will = undefined;
    // Own name space per user name, so that nobody can take over a client of someone else.
    const own = asked.clientId || randomUUID();
    if (!asked.clientId) session.mqtt5?.assign(own);
    packet.clientId = `${asked.name}/${own}`;
    packet.clean = true; // until it is known who it is
    session.connecting = packet;
    // 0: the client asks not to be watched [MQTT-3.1.2-24]; a connection that is dead all the same must end some time.
    if (!packet.keepalive) {
      packet.keepalive = options.idleMaxS / KEEPALIVE_TIMES;
      session.mqtt5?.tellKeepalive(Math.min(packet.keepalive, KEEPALIVE_MAX_S));
    }
    done(null, true);
  }

  function authenticate(
    client: Client,
    _name: string | undefined,
    password: Buffer | undefined,
    done: Callback<AuthenticateError | null>,
  ): void {
    const session = context.sessionOf(client);
    const { asked } = session ?? {};
    if (!session || !asked || client.closed) return done(refusalError("unavailable"), false);
    const judged = judge(asked, password, session.connection.names, ports.now());
    if (typeof judged === "string") return refuse(session, judged, done);
    const { account, secretHash } = judged;
    if (secretHash) session.secretHash = secretHash;
    if (secretHash && asked.credential?.former && secretHash === asked.credential.secretHash)
      ports.onNewSecret?.(account.name, secretHash);
    admitInTurn(session, account, done);
  }

  /** Who logs in again and again, with a right secret, waits for itself. */
  function admitInTurn(session: Session, account: Account, done: Callback<AuthenticateError | null>): void {
    if (session.client.closed) return done(refusalError("unavailable"), false);
    const waitMs = take(loginsOf(account.name), ports.now());
    if (waitMs > 0) return void setTimeout(admitInTurn, waitMs, session, account, done).unref();
    const others = context.sessionsNamed(account.name);
    if (account.role === "device" && others.size >= options.connectionsPerDeviceMax) endOldest(others);
    else if (others.size >= options.connectionsPerAccountMax) return refuse(session, "account_connections_max", done);
    admit(session, account);
    done(null, true);
  }

  /** A device that starts again and again with another client id leaves connections behind that it will never use. */
  function endOldest(sessions: ReadonlySet<Session>): void {
    const [oldest] = sessions;
    if (!oldest) return;
    counts.takeovers += 1;
    context.report({ type: "takeover", ...whoIs(oldest) });
    endTakenOver(oldest);
  }

  function refuse(session: Session, reason: Refusal, done: Callback<AuthenticateError | null>): void {
    counts.refused[reason] += 1;
    context.report({ type: "refused", reason, ...whoIs(session) });
    session.mqtt5?.refuse(reason);
    const network = networkOf(session.connection.address);
    const waiting = answeredLate.get(network) ?? 0;
    // Only failures wait: behind one address there may be a whole district with good credentials. And only so many: those
    // that wait hold a connection each.
    const isLate = take(failuresOf(network), ports.now()) > 0 && waiting < LATE_ANSWERS_MAX;
    if (!isLate) return done(refusalError(reason), false);
    answeredLate.set(network, waiting + 1);
    setTimeout(() => {
      const left = answeredLate.get(network)! - 1;
      if (left > 0) answeredLate.set(network, left);
      else answeredLate.delete(network);
      done(refusalError(reason), false);
    }, options.loginBackOffMs).unref();
  }

  function admit(session: Session, account: Account): void {
    for (const other of context.sessionsNamed(account.name)) {
      if (other.client.id !== session.client.id) continue;
      counts.takeovers += 1;
      if (other.mqtt5) endTakenOver(other);
      context.report({ type: "takeover", ...whoIs(session) });
    }
    session.account = account;
    session.source = { via: "mqtt", role: account.role, name: account.name };
    const { unfitWill } = session.asked!;
    if (unfitWill) {
      // A device with a wrong last will would otherwise never be heard at all.
      counts.deniedWills += 1;
      const { topic } = unfitWill;
      context.report({ type: "denied-publish", reason: "will_not_allowed", topic, ...whoIs(session) });
    }
    const { isKept, keptForS } = context.kept.begin(session);
    session.connecting!.clean = !isKept;
    session.client.clean = !isKept;
    session.connecting = undefined;
    session.keptForS = keptForS;
    session.mqtt5?.keepFor(keptForS);
    session.meters = metersOf(account, session.connection.address);
    context.nameSession(account.name, session);
  }

  return { preConnect, authenticate };
}

function endTakenOver({ mqtt5, client }: Session): void {
  if (mqtt5) mqtt5.end({ code: CODE.sessionTakenOver, text: "a newer connection has taken over" });
  else client.close();
}

function readAsked(context: Context, packet: ConnectPacket, { mqtt5, connection }: Session): Asked {
  // Who shows a certificate need not say the name in it again.
  const name = packet.username ?? connection.names.find((one) => isId(one) && context.ports.credential(one)) ?? "";
  let credential: Asked["credential"];
  try {
    if (isId(name)) credential = context.ports.credential(name);
  } catch (error) {
    context.ports.log.error({ err: error }, "credentials cannot be looked up; logins are refused");
  }
  const will = packet.will as unknown as Will | undefined;
  const isFit = !will || !credential || isFitWill(credential.account, will);
  const version = mqtt5 ? 5 : (packet.protocolVersion ?? 4);
  const unfitWill = isFit ? undefined : will;
  return { name, clientId: packet.clientId, clean: packet.clean !== false, version, unfitWill, credential };
}

type Judged = { readonly account: Account; readonly secretHash?: string };

/** The account and the secret that it showed, or why not. */
function judge(asked: Asked, password: Buffer | undefined, names: readonly string[], now: number): Judged | Refusal {
  if (!isClientId(asked)) return "bad_client_id";
  const { credential } = asked;
  // A certificate stands for a machine; people have passwords.
  const role = credential?.account.role;
  const isMachine = role === "device" || role === "gateway";
  if (credential && !password && isMachine && names.includes(asked.name)) return { account: credential.account };
  const shown = createHash("sha256")
    .update(password ?? "")
    .digest();
  const former = credential?.former && now < credential.former.until ? credential.former.secretHash : undefined;
  // Both are compared whatever the first says.
  const isFormer = isSecret(shown, former);
  const isRight = isSecret(shown, credential?.secretHash);
  if (!credential || !password || !(isRight || isFormer)) return "bad_credentials";
  return { account: credential.account, secretHash: isRight ? credential.secretHash : former! };
}

function isSecret(shown: Buffer, secretHash: string | undefined): boolean {
  const kept = secretHash === undefined ? NO_HASH : Buffer.from(secretHash, "hex");
  // The lengths are equal by the first test: timingSafeEqual throws on unequal ones.
  return kept.length === shown.length && timingSafeEqual(shown, kept) && secretHash !== undefined;
}

function isClientId({ clientId, clean, version }: Asked): boolean {
  // MQTT 3.1: 1 to 23 characters. 3.1.1: may be empty if the session is clean [MQTT-3.1.3-8].
  if (version === 3 && (clientId.length === 0 || clientId.length > 23)) return false;
  if (clientId.length === 0) return clean || version === 5;
  return clientId.length <= CLIENT_ID_LENGTH_MAX && isCleanText(clientId);
}

function isFitWill(account: Account, will: Will): boolean {
  const at = parseSensorTopic(will.topic);
  const isFit = !at || (at.channel === "status" && readStatus(will.payload) !== undefined);
  return isFit && mayUse(account, "publish", will.topic).allowed;
}

/** Outlive connections, so that a reconnect does not fill them again. */
function createMeters({ options, ports }: Context) {
  const { device, gateway, person, address, deviceReadings, gatewayReadings } = options.rates;
  const bucketOf = (limit: RateLimit) => newBucket(limit, ports.now());
  const metersFor = (limit: RateLimit | undefined, keysMax: number, unit: Meter["unit"] = "packets") =>
    limit && createByKey(keysMax, () => createMeter(bucketOf(limit), unit));
  const heldMetersFor = (role: Account["role"], limit: RateLimit | undefined, keysMax: number) =>
    limit &&
    createByKey(keysMax, (name) => {
      const sender = senderKey({ role, name });
      return createMeter(bucketOf(limit), "packets", {
        isHeld: () => ports.isHeld?.(sender) === true,
        isAhead: () => ports.isAhead?.(sender) === true,
      });
    });
  const ofDevice = [heldMetersFor("device", device, 100_000), metersFor(deviceReadings, 100_000, "readings")];
  const ofGateway = [heldMetersFor("gateway", gateway, 10_000), metersFor(gatewayReadings, 10_000, "readings")];
  const ofPerson = [metersFor(person, 10_000)];
  const ofAddress = metersFor(address, ADDRESSES_MAX);
  return ({ role, name }: Account, from: string) => {
    const own = role === "device" ? ofDevice : role === "gateway" ? ofGateway : ofPerson;
    return [...own.map((of) => of?.(name)), ofAddress?.(from)].filter((meter) => meter !== undefined);
  };
}

function refusalError(reason: Refusal): AuthenticateError {
  return Object.assign(new Error(`refused: ${reason}`), { returnCode: RETURN_CODES[reason] ?? 5 });
}
