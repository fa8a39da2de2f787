import { useEffect, useRef } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { badge, sound } from "../shell/preferences.ts";

/** The keys, and how one is told of new critical alerts. */
export function Help({ onClose }: { onClose: () => void }) {
  const { desk: t, shell } = messages.value;
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} class="panel help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">{t.help}</h2>
      <dl>
        {t.helpKeys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <h2>{t.notify}</h2>
      {(
        [
          [sound, t.sound],
          [badge, t.badge],
        ] as const
      ).map(([setting, text]) => (
        <label key={text} class="check">
          <input
            type="checkbox"
            checked={setting.value}
            onChange={(event) => (setting.value = event.currentTarget.checked)}
          />
          {text}
        </label>
      ))}
      <button type="button" class="button" onClick={() => box.current?.close()}>
        {shell.close}
      </button>
    </dialog>
  );
}
