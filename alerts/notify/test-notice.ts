import type { Notice } from "../../model/notice.ts";
import type { Target } from "../../model/target.ts";

/** What a target is told when an admin tries it out: an alert that says so itself. */
export function sampleNotice(target: Target, now: number): Notice {
  const source = "sent by an admin to try out this target";
  return {
    id: `test-${now}`,
    at: now,
    what: "firing",
    alert: {
      id: "al-test",
      rule: { id: "test", version: "0", title: "This is a test", source },
      subject: {},
      kind: "service",
      severity: "info",
      audience: target.audience ?? "operators",
      state: "firing",
      handling: "open",
      startedAt: now,
      firedAt: now,
      explanation: `Lamppost can reach the target "${target.name}". Nothing is wrong.`,
      evidence: [],
      timeline: [],
    },
  };
}
