import { describe, expect, it } from "vitest";
import { createRulesChecker, RulesTooHard } from "../../../alerts/rules/checker.ts";
import { MISTAKES_MAX } from "../../../alerts/rules/yaml-file.ts";
import { RULES_MAX } from "../../../model/rule.ts";

const checker = createRulesChecker();
const rule = (rest = "", id = "a") =>
  `{ id: ${id}, title: Abc, kind: air, metric: no2, condition: { type: threshold, above: 1 }, severity: info, audience: crews, source: { text: test }${rest} }`;

async function check(yaml: string, known: readonly string[] = []) {
  const body = await checker.text(yaml, known);
  return { bytes: body.byteLength, ...JSON.parse(new TextDecoder().decode(body)) };
}

describe("rules that people send", () => {
  it("are checked against those in force", async () => {
    const inhibits = (id: string) => `rules: [${rule(`, inhibits: [{ rule: ${id} }]`)}]`;
    expect((await check(inhibits("trial"), ["trial"])).mistakes).toEqual([]);
    expect((await check(inhibits("gone"), ["trial"])).mistakes).toHaveLength(1);
  });

  it.each([
    ["200,000 empty items", `rules:\n${"- {}\n".repeat(200_000)}`],
    ["a rule with 200,000 wrong parts", `rules: [${rule(`, inhibits: [${"{},".repeat(200_000)}]`)}]`],
    [
      "a rule with 100,000 unknown keys",
      `rules: [{${Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join(",")}}]`,
    ],
    [
      "1,000 rules full of mistakes",
      `rules: [${rule(`, severity: loud, inhibits: [${"{},".repeat(90)}]`)},${"{a: 1},".repeat(999)}]`,
    ],
    ["a text that is not YAML at all", `${"}{".repeat(500_000)}`],
    ["lists in lists", `rules: ${"[".repeat(500_000)}`],
    ["maps in lists, by dashes", `rules:\n ${"- ".repeat(400_000)}`],
    ["a key without an end", `rules: [{ ${"x".repeat(1_000_000)}: 1 }]`],
    [
      "aliases of aliases",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from("bcdefghi", (name, i) => `${name}: &${name} [${`*${"abcdefgh"[i]},`.repeat(9)}]\n`).join("")}rules: [*i]`,
    ],
    [
      "a long list repeated in every rule",
      `rules: [${rule(`, select: { sensor: &all [${Array.from({ length: 100 }, (_, i) => `s${"x".repeat(55)}-${i}`).join(",")}] }`)},${Array.from({ length: 999 }, (_, i) => rule(", select: { sensor: *all }", `r${i}`)).join(",")}]`,
    ],
    ["merge keys", `rules:\n${"- <<: {}\n".repeat(60_000)}`],
    ["directives", `${"%TAG !a! tag:x\n".repeat(50_000)}---\nrules: []`],
    ["documents", "---\n".repeat(100_000)],
    ["lines with nothing in them", `rules:\n${"\n".repeat(900_000)}`],
    ["anchors", `rules:\n${Array.from({ length: 30_000 }, (_, i) => `- &a${i} x\n`).join("")}`],
    ["aliases of one list", `rules: []\na: &a [${"x,".repeat(10_000)}]\nb: [${"*a,".repeat(30_000)}]`],
    ["tags", `rules:\n${"- !!x y\n".repeat(40_000)}`],
  ])("%s: few mistakes, a short answer", async (_, yaml) => {
    const { mistakes, bytes, ok } = await check(yaml);
    expect(ok).toBe(false);
    expect(mistakes.length).toBeGreaterThan(0);
    expect(mistakes.length).toBeLessThanOrEqual(MISTAKES_MAX);
    expect(bytes).toBeLessThan(200_000);
  });

  it.each([
    ["rules:\n- id: a\n  <<: {}\n", 3, "merge keys (<<) are not read: write out what is merged"],
    ["%YAML 1.1\n---\nrules: []\n", 1, "directives (%) are not read: remove this line"],
    ["---\nrules: []\n---\nrules: []\n", 3, "a file has one document: remove this ---"],
    [`rules: []\n${"#\n".repeat(60_000)}`, 50_000, "it has more than 50000 lines: split it"],
    [`rules:\n${"- &a x\n".repeat(200)}`, 102, "it has more than 100 anchors (&name)"],
    [`rules:\n- &a x\n${"- *a\n".repeat(2_000)}`, 1_003, "it has more than 1000 aliases (*name)"],
  ])("are refused where they become too much: %#", async (yaml, line, message) => {
    expect((await check(yaml)).mistakes).toMatchObject([{ line, message }]);
  });

  it("may use an anchor in every rule, and words that look like signs", async () => {
    const rules = Array.from({ length: 400 }, (_, i) => rule(", select: { sensor: *s }", `r${i}`));
    const first = rule(`, select: { sensor: &s [s-1] }, message: "<<: *a &b %c", note: '---'`, "first");
    const { mistakes } = await check(`rules: [${[first, ...rules].join(",")}]`);
    expect(mistakes.map(({ message }: { message: string }) => message)).toEqual([
      '"message" is not known here: remove it or check its spelling',
      '"note" is not known here: remove it or check its spelling',
    ]);
  });

  it("say in words of our own that they take too much memory", async () => {
    const greedy = new URL(
      `data:text/javascript,${encodeURIComponent(`
        import { parentPort } from "node:worker_threads";
        parentPort.on("message", () => {
          for (const all = []; ; ) all.push(new Array(1_000_000).fill(0));
        });
        parentPort.postMessage({ ready: true });`)}`,
    );
    const checker = createRulesChecker({ checkMsMax: 60_000, thread: greedy });
    await expect(checker.text("", [])).rejects.toThrow("The rules take more than 256 MiB to read: split them.");
  });

  it("says that it stopped, and that there are too many", async () => {
    expect(await check(`rules: [${"{},".repeat(50)}]`)).toMatchObject({ truncated: true });
    expect((await check(`rules: [${"{},".repeat(RULES_MAX + 1)}]`)).mistakes).toMatchObject([
      { message: `${RULES_MAX + 1} rules; at most ${RULES_MAX} are allowed` },
    ]);
    expect(await check(`rules: [${rule(", severity: loud")}]`)).toMatchObject({ truncated: false });
  });

  it("are refused as data, too: the first 100 mistakes of the first wrong one", async () => {
    const empty = (length: number) => ({ inhibits: Array.from({ length }, () => ({})) });
    const answer = await checker.data([empty(100)]);
    expect("mistakes" in answer && answer.mistakes.length).toBe(MISTAKES_MAX);
    const many = await checker.data([empty(3_000)]);
    expect(many).toMatchObject({ mistakes: [{ index: 0, path: [], message: expect.stringContaining("2000 parts") }] });
    await expect(checker.data([empty(200_000)])).rejects.toThrow("too many parts");
  });

  /** A thread that reads texts for ever, and data at once. */
  const endless = new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", ({ id, yaml }) => {
        while (yaml !== undefined);
        parentPort.postMessage({ id, result: { rules: [] } });
      });
      parentPort.postMessage({ ready: true });`)}`,
  );

  it("end with their thread when they take too long; the next are read", async () => {
    const impatient = createRulesChecker({ checkMsMax: 200, thread: endless });
    const refused = expect(impatient.text("", [])).rejects.toThrow(
      new RulesTooHard("The rules take longer than 0.2 s to read: simplify or split them."),
    );
    const next = impatient.data([]);
    await refused;
    expect(await next).toEqual({ rules: [] });
  });

  it("are left when the client leaves", async () => {
    const patient = createRulesChecker({ thread: endless });
    const leaving = new AbortController();
    const text = patient.text("", [], leaving.signal);
    setTimeout(() => leaving.abort(new Error("gone")), 50);
    await expect(text).rejects.toThrow("gone");
    expect(await patient.data([])).toEqual({ rules: [] });
  });

  it("a key is there once in its map, and 20,000 of them are no work", async () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}: 1\n`).join("");
    expect((await check(`rules: []\n${keys}k7: 1\n`)).mistakes).toEqual([
      { file: "rules.yaml", line: 20_002, column: 1, message: "this key is there twice in one map" },
    ]);
  });
});
