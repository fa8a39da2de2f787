import { useEffect, useId, useRef, useState } from "preact/hooks";
import { messages } from "../../messages/messages.ts";

export type Credential = { readonly username: string; readonly password: string };

type ShownOnceProps = {
  readonly title: string;
  readonly hint?: string;
  /** Name and password of a device: both are typed somewhere else. */
  readonly credential?: Credential;
  /** Or one secret with its name. */
  readonly secret?: Secret;
  readonly onDone: () => void;
};

type Secret = { readonly label: string; readonly value: string };

/** What the service tells once and never again: a password, a key. It stays until someone says that they have it. */
export function ShownOnce({ title, hint, credential, secret, onDone }: ShownOnceProps) {
  const t = messages.value.admin;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="panel admin-secret">
      <h3 ref={heading} tabIndex={-1}>
        {title}
      </h3>
      <p>{hint ?? t.credentialHint}</p>
      {credential && (
        <>
          <SecretLine label={t.username} value={credential.username} />
          <SecretLine label={t.password} value={credential.password} />
        </>
      )}
      {secret && <SecretLine {...secret} />}
      <div class="buttons">
        <button type="button" class="button" onClick={onDone}>
          {t.haveIt}
        </button>
      </div>
    </section>
  );
}

function SecretLine({ label, value }: Secret) {
  const t = messages.value.admin;
  const id = useId();
  const line = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);

  async function copy(): Promise<void> {
    line.current?.select();
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // Without https there is no clipboard for scripts; the old way still works, and the text is selected.
      document.execCommand("copy");
    }
    setCopied(true);
  }

  return (
    <div class="field">
      <label for={id}>{label}</label>
      <div class="admin-copy">
        <input
          ref={line}
          id={id}
          type="text"
          readOnly
          value={value}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button" aria-label={`${t.copy}: ${label}`} onClick={() => void copy()}>
          {t.copy}
        </button>
      </div>
      <small role="status" class="quiet">
        {copied ? t.copied : ""}
      </small>
    </div>
  );
}
