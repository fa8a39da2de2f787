import { type AlertsOptions, createAlerts, type Live, TICK_EVERY_MS } from "../alerts/alerts.ts";
import type { CurrentOf } from "../alerts/channels/channel.ts";
import { createMailer } from "../alerts/channels/email.ts";
import { createNoise } from "../alerts/noise/noise.ts";
import { createPushSender } from "../alerts/notify/browsers.ts";
import { createAllowList, createHttpPost } from "../alerts/notify/http-post.ts";
import type { Later } from "../alerts/notify/lane.ts";
import { createNotifier } from "../alerts/notify/notifier.ts";
import { createAlertPublisher, type PublisherOptions } from "../alerts/publisher.ts";
import { createRejudging, REJUDGE_EVERY_MS } from "../alerts/rejudging.ts";
import type { RuleBook } from "../alerts/rules/rule-book.ts";
import { createHealthWatch, HEALTH_TICK_MS } from "../alerts/service-health.ts";
import type { Transition } from "../model/alert.ts";
import type { Background } from "../model/background.ts";
import type { Figure, Health } from "../model/health.ts";
import type { Kind } from "../model/kinds.ts";
import type { NotifySettings } from "../model/notify-settings.ts";
import type { Language } from "../model/sentence.ts";
import { createSettledClock } from "../model/time.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { Records } from "../store/records.ts";
import type { StopStack } from "./lifecycle.ts";

type AlertsStart = Omit<AlertsOptions, "records" | "rules" | "live"> & {
  readonly monotonic: Live["monotonic"];
  readonly readAgain: Live["readAgain"];
  /** In force, and told when people change them. */
  readonly rules: Pick<RuleBook, "rules" | "onChange">;
  readonly records: Records;
  readonly publish: PublisherOptions["publish"];
  readonly replayLimits?: PublisherOptions["replayLimits"];
  readonly notify: NotifySettings;
  readonly isMuted: () => boolean;
  readonly language: Language;
  readonly current: CurrentOf;
  readonly background: Background;
  /** Through the corrections. */
  readonly readings: Pick<ReadingStore, "stream">;
  readonly kindOf: (sensorId: string) => Kind | undefined;
};

/** What `app.ts` wires of the rules, so that it stays one straight function: the engine, and all who tell of its alerts. */
export function startAlerts(options: AlertsStart, onStop: StopStack["onStop"]) {
  const { records, publish, log } = options;
  const { rules, now } = options;
  const notifier = startNotifier(options);
  const { enqueue } = notifier;
  const { holdMs } = options.notify;
  const noise = createNoise({ records, rules: rules.rules, sensor: records.sensors.get, now, enqueue, log, holdMs });
  // What waits to be told is looked at before it goes: it should not go in the seconds until the next tick.
  records.silences.onChange(() => void options.background.later("silences", 0, noise.tick));
  let callOffWork: (() => void) | undefined;
  const workAfter = (ms: number) => options.background.later("rules on waiting readings", ms, work);
  const onWaiting = () => {
    callOffWork ??= workAfter(0);
  };
  const live: Live = { monotonic: options.monotonic, onWaiting, readAgain: options.readAgain };
  const alerts = createAlerts({
    ...options,
    rules: rules.rules(),
    apply: noise.apply,
    uptime: options.monotonic,
    live,
  });

  function work(): void {
    const pauseMs = alerts.work();
    callOffWork = pauseMs === undefined ? undefined : workAfter(pauseMs);
  }
  const rejudging = createRejudging({ ...options, store: options.readings, alerts });
  options.background.every("corrections for the rules", REJUDGE_EVERY_MS, () => void rejudging.tick());
  onStop("corrections for the rules", () => rejudging.stop());
  rules.onChange(alerts.replaceRules);
  const publisher = createAlertPublisher({
    records,
    publish,
    log,
    isMuted: options.isMuted,
    now: options.now,
    replayLimits: options.replayLimits,
  });

  return {
    /** What corrections reach. */
    rules: { reachFrom: rejudging.reachFrom, changed: () => void rejudging.tick() },
    /** Takes the readings: one of the consumers of the journal. */
    consumer: alerts,
    close(): void {
      callOffWork?.();
      alerts.close();
    },
    health: () => [alerts.health(), ...alerts.troubles(), ...noise.health(), notifier.health()],
    figures: (): readonly Figure[] => [
      ...alerts.figures(),
      ...noise.figures(),
      ...publisher.figures(),
      ...notifier.figures(),
    ],
    notifications: { check: notifier.check, test: notifier.test },
    /** For subscribers that were away: what was told, and up to where. */
    replay: publisher.replay,
    handedOver: publisher.handedOver,
    /** The clock's part. */
    tickEveryMs: TICK_EVERY_MS,
    tick(): void {
      alerts.tick();
      noise.tick();
    },
    /** What is wrong with the service itself is an alert, too. */
    watch(health: () => readonly Health[]): void {
      const keep = (transitions: readonly Transition[]) => records.transaction(() => noise.apply(transitions));
      const watch = createHealthWatch({ records, health, apply: keep, now: options.now });
      options.background.every("service health", HEALTH_TICK_MS, watch.tick);
    },
    /** Once the listeners are up: what is said goes out from here on. */
    tell(): void {
      publisher.start();
      onStop("alert publisher", () => publisher.stop());
      notifier.start();
      onStop("notifications", () => notifier.stop());
    },
  };
}

/** For operators of push services: where people open the page, else whoever the service's mails come from. */
function contactOf({ publicUrl, smtp }: NotifySettings): string | undefined {
  if (publicUrl?.startsWith("https://")) return publicUrl;
  const address = /<([^<>]+)>$/.exec(smtp?.from ?? "")?.[1] ?? smtp?.from;
  return address === undefined ? undefined : `mailto:${address}`;
}

/** With the real ways out: the network, the mail server and the broker. */
function startNotifier(options: AlertsStart) {
  const {
    records,
    publish,
    notify,
    zone: cityZone,
    language: cityLanguage,
    current,
    background,
    now,
    monotonic,
    log,
    isMuted,
  } = options;
  const { allow, smtp, publicUrl } = notify;
  const allowed = createAllowList(allow);
  const mail = smtp && createMailer(smtp);
  const post = createHttpPost({ allow: allowed });
  const push = createPushSender({ records, post, contact: contactOf(notify), now, log });
  const ports = { post, publish, mail, push };
  const later: Later = (ms, work) => background.later("notifications", ms, work);
  const settled = createSettledClock(now, monotonic).now;
  return createNotifier({
    records,
    ports,
    allowed,
    publicUrl,
    cityZone,
    cityLanguage,
    current,
    now,
    settled,
    random: Math.random,
    log,
    later,
    isMuted,
  });
}
