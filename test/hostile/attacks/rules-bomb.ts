import { request } from "node:http";
import { type Attack, ELSEWHERE } from "../attack.ts";

const rule = (rest: string) =>
  `{ id: a, title: Abc, kind: air, metric: no2, condition: { type: threshold, above: 1 }, severity: info, audience: crews, source: { text: test }${rest} }`;
/** Small to write and dear to read. */
const TEXTS = [
  `rules:\n${"- {}\n".repeat(200_000)}`,
  `rules: [${rule(`, inhibits: [${"{},".repeat(200_000)}]`)}]`,
  `rules: ${"[".repeat(500_000)}`,
  `rules: []\n${Array.from({ length: 80_000 }, (_, i) => `k${i}:\n`).join("")}`,
  `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from("bcdefghi", (name, i) => `${name}: &${name} [${`*${"abcdefgh"[i]},`.repeat(9)}]\n`).join("")}rules: [*i]`,
];
const DEAR = { inhibits: Array.from({ length: 100_000 }, () => ({})) };
const SPAN = { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z" };
const ANSWER_BYTES_MAX = 1_000_000;

/** An operator's token in the wrong hands. */
export const attack: Attack = {
  name: "rules that are dear to read",
  about: "Rules files of 200,000 mistakes, deep nesting and aliases; whoever sends them waits, not the others.",
  async run(target, signal) {
    const { password } = await target.user("rule-writer", "operator");
    const bodies = [
      ...TEXTS.map((yaml) => ({ path: "/rules/check", body: JSON.stringify({ yaml }) })),
      { path: "/rules/backtest", body: JSON.stringify({ ...SPAN, rules: [DEAR] }) },
      { path: "/rules/check", body: `{"yaml":${"[".repeat(1_000_000)}` },
    ];
    const seen = new Map<number, number>();
    async function send(first: number): Promise<void> {
      for (let i = first; !signal.aborted; i++) {
        const { path, body } = bodies[i % bodies.length]!;
        const { status, bytes } = await post(`${target.http}/api/v1${path}`, password, body, signal);
        seen.set(status, (seen.get(status) ?? 0) + 1);
        if (status >= 500 && status !== 503) throw new Error(`${path}: ${status}`);
        if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of ${bytes} bytes`);
      }
    }
    await Promise.all([0, 1, 2, 3, 4, 5].map(send));
    return [...seen].map(([status, count]) => `${count} x ${status || "broken off"}`).join(", ");
  },
};

function post(
  url: string,
  token: string,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; bytes: number }> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  return new Promise((resolve) => {
    const asked = request(
      url,
      { method: "POST", headers, agent: false, localAddress: ELSEWHERE, signal },
      (response) => {
        let bytes = 0;
        response.on("data", (part: Buffer) => {
          bytes += part.byteLength;
        });
        response.on("error", () => {}).on("close", () => resolve({ status: response.statusCode ?? 0, bytes }));
      },
    );
    asked.on("error", () => resolve({ status: 0, bytes: 0 }));
    asked.end(body);
  });
}
