type ChoiceProps<T extends string> = {
  readonly label: string;
  /** What "no choice" is called. */
  readonly any: string;
  readonly value: T | undefined;
  readonly among: readonly T[];
  readonly say: (one: T) => string;
  readonly onChoose: (one: T | undefined) => void;
};

/** A small select that says its own label while nothing is chosen. */
export function Choice<T extends string>({ label, any, value, among, say, onChoose }: ChoiceProps<T>) {
  return (
    <select
      class={value ? "chosen" : ""}
      aria-label={label}
      value={value ?? ""}
      onChange={(event) => onChoose(among.find((one) => one === event.currentTarget.value))}
    >
      <option value="">{`${label}: ${any}`}</option>
      {among.map((one) => (
        <option key={one} value={one}>
          {say(one)}
        </option>
      ))}
    </select>
  );
}
