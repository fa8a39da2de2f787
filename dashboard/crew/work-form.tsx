import { useState } from "preact/hooks";
import type { CrewWarningView } from "../../contract/alert.ts";
import { PHOTOS_PER_DEED_MAX } from "../../model/photo.ts";
import { messages } from "../messages/messages.ts";
import { Check, Field, Group, typed } from "../parts/fields.tsx";
import { Form } from "../parts/forms.tsx";
import { titleOf } from "../words/tell.ts";
import { shrink, type TakenPhoto } from "./photo.ts";
import type { Work } from "./queue.ts";

type WorkFormProps = {
  readonly doing: "close" | "return";
  readonly name: string;
  readonly warnings: readonly CrewWarningView[];
  /** Of the sensor, where that is not clear from the place. */
  readonly nameOf: (warning: CrewWarningView) => string | undefined;
  readonly onDone: (which: readonly CrewWarningView[], work: Work) => void;
  readonly onCancel: () => void;
};

/** What was done, or why it could not be, in a few words and pictures; and of which of the warnings of this place. */
export function WorkForm({ doing, name, warnings, nameOf, onDone, onCancel }: WorkFormProps) {
  const t = messages.value.crew;
  const [none, setNone] = useState(false);
  const [reason, setReason] = useState("");
  const [photos, setPhotos] = useState<readonly TakenPhoto[]>([]);
  const isDone = doing === "close";

  function submit(data: FormData): void {
    const which = warnings.length === 1 ? warnings : warnings.filter(({ id }) => data.getAll("which").includes(id));
    if (which.length === 0) return setNone(true);
    const note = [reason, typed(data, "note")].filter(Boolean).join(": ");
    const parts = typed(data, "parts");
    onDone(which, {
      ...(note ? { note } : {}),
      ...(parts ? { parts } : {}),
      ...(photos.length > 0 ? { photos: photos.map(({ blob }) => blob) } : {}),
    });
  }

  return (
    <Form class="crew-done" submitLabel={isDone ? t.done : t.giveBack} onSubmit={submit} onCancel={onCancel}>
      {warnings.length > 1 && (
        <Group legend={isDone ? t.which : t.whichNot} class="checks column" wrong={none ? t.whichNone : undefined}>
          {warnings.map((warning) => (
            <Check
              key={warning.id}
              name="which"
              value={warning.id}
              on
              onChange={() => setNone(false)}
              label={[titleOf(warning), nameOf(warning)].filter(Boolean).join(", ")}
            />
          ))}
        </Group>
      )}
      {!isDone && (
        <Field
          label={t.because}
          name="reason"
          value={reason}
          required
          onChoose={setReason}
          options={[["", t.choose], ...t.reasons.map((one) => [one, one] as const)]}
        />
      )}
      <Field label={t.note} name="note" hint={isDone ? t.noteHint : t.backHint} lines={2} maxLength={1_800} />
      {isDone && <Field label={t.parts} name="parts" hint={t.partsHint} maxLength={500} />}
      <PhotoPicker photos={photos} onChange={setPhotos} />
      <span class="hidden">{name}</span>
    </Form>
  );
}

type PhotoPickerProps = {
  readonly photos: readonly TakenPhoto[];
  readonly onChange: (photos: readonly TakenPhoto[]) => void;
};

function PhotoPicker({ photos, onChange }: PhotoPickerProps) {
  const t = messages.value.crew;
  const [wrong, setWrong] = useState(false);

  async function take(input: HTMLInputElement): Promise<void> {
    const files = [...(input.files ?? [])].slice(0, PHOTOS_PER_DEED_MAX - photos.length);
    // The same one can be chosen again after it was taken away.
    input.value = "";
    const found = await Promise.allSettled(files.map(shrink));
    setWrong(found.some(({ status }) => status === "rejected"));
    onChange([...photos, ...found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))]);
  }

  return (
    <div class="crew-photos cluster">
      {photos.map(({ thumb }, i) => (
        <button
          key={thumb}
          type="button"
          class="crew-photo"
          aria-label={t.removePhoto(i + 1)}
          onClick={() => onChange(photos.filter((_, at) => at !== i))}
        >
          <img src={thumb} alt="" />
        </button>
      ))}
      {photos.length < PHOTOS_PER_DEED_MAX && (
        <label class="button">
          {t.addPhoto}
          <input
            class="hidden"
            type="file"
            accept="image/*"
            multiple
            onChange={(event) => void take(event.currentTarget)}
          />
        </label>
      )}
      {wrong && (
        <p class="wrong" role="alert">
          {t.noPhoto}
        </p>
      )}
      <small class="quiet">{t.photoHint}</small>
    </div>
  );
}
