import type { Mistake } from "./parse.ts";
import { type TestData, type TestFileData, testFileSchema } from "./test-schema.ts";
import { openYaml, type YamlFile } from "./yaml-file.ts";

/** A test and where it stands, for the report. */
export type FoundTest = { readonly data: TestData; readonly at: Mistake };
type ParsedTests = {
  /** As the file names them: relative to it. */
  readonly rules: readonly string[];
  readonly tests: readonly FoundTest[];
  readonly mistakes: readonly Mistake[];
};

/** One `*.test.yaml`. Nothing is thrown: all mistakes come with line and column. */
export function parseTests(text: string, file: string): ParsedTests {
  const yaml = openYaml(text, file);
  const result = yaml.mistakes.length > 0 ? undefined : testFileSchema.safeParse(yaml.plain);
  if (!result?.success) {
    const mistakes = result ? yaml.issues([], result.error.issues) : yaml.mistakes;
    return { rules: [], tests: [], mistakes };
  }
  const { rules, tests } = result.data;
  return {
    rules: [rules].flat(),
    tests: tests.map((data, index) => ({ data, at: yaml.locate(["tests", index, "name"], data.name) })),
    mistakes: [...sameNames(result.data, yaml), ...unknownSensors(result.data, yaml)],
  };
}

function sameNames({ tests }: TestFileData, yaml: YamlFile): Mistake[] {
  return tests.flatMap(({ name }, index) => {
    const first = tests.findIndex((one) => one.name === name);
    return first === index ? [] : [yaml.locate(["tests", index, "name"], "another test has this name: choose another")];
  });
}

function unknownSensors({ tests }: TestFileData, yaml: YamlFile): Mistake[] {
  return tests.flatMap(({ sensors, readings, late = [], expect }, test) => {
    const known = new Set(sensors.map(({ id }) => id));
    const named = [
      ...readings.map(({ sensor }, i) => ({ sensor, path: ["readings", i] })),
      ...late.map(({ sensor }, i) => ({ sensor, path: ["late", i] })),
      ...expect.map(({ sensor }, i) => ({ sensor, path: ["expect", i] })),
    ];
    return named
      .filter(({ sensor }) => sensor !== undefined && !known.has(sensor))
      .map(({ sensor, path }) =>
        yaml.locate(["tests", test, ...path, "sensor"], `sensor "${sensor}" is not among the sensors of this test`),
      );
  });
}
