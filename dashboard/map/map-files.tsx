import "./map.css";
import { useState } from "preact/hooks";
import type { MapFileView, MapView } from "../../contract/map.ts";
import { ask, request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button } from "../parts/fields.tsx";
import { useAttempt } from "../parts/forms.tsx";
import { Problem, useLoaded } from "../parts/state.tsx";
import { loadSession } from "../shell/session.ts";

const PIECE_BYTES = 2 * 1024 * 1024;

/** `/admin?tab=map`: the files that maps are drawn from. */
export function MapFiles() {
  const { map: t } = messages.value;
  const [changes, setChanges] = useState(0);
  const { found, problem } = useLoaded((signal) => request<MapView>("GET", "/map", undefined, signal), [changes]);
  const { busy, problem: refused, attempt } = useAttempt();
  const [sent, setSent] = useState<number>();

  async function upload(file: File): Promise<void> {
    try {
      await sendInPieces(file, setSent);
    } finally {
      setSent(undefined);
    }
    await changed();
  }

  async function remove(name: string): Promise<void> {
    await request("DELETE", `/map/${encodeURIComponent(name)}`);
    await changed();
  }

  /** The maps of this page are drawn from them, too. */
  async function changed(): Promise<void> {
    setChanges((n) => n + 1);
    await loadSession();
  }

  return (
    <section class="stack">
      <h2>{t.files}</h2>
      <p class="quiet">{t.filesHint}</p>
      <Problem of={problem} />
      {found?.files.length === 0 && <p>{t.noFiles}</p>}
      <ul class="lines map-files">
        {found?.files.map((file) => (
          <li key={file.name}>
            <div>
              <strong>{file.name}</strong>{" "}
              <span class="quiet">
                {megabytes(file)} · {t.from[file.from]}
                {file.attribution && ` · ${file.attribution}`}
              </span>
            </div>
            {file.from === "upload" && (
              <Button class="quiet" disabled={busy} onClick={() => void attempt(() => remove(file.name))}>
                {t.remove(file.name)}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <label class="field">
        <span>{t.upload}</span>
        <input
          type="file"
          accept=".pmtiles,.geojson,.json"
          disabled={busy}
          onChange={({ currentTarget }) => {
            const file = currentTarget.files?.[0];
            if (file) void attempt(() => upload(file)).then(() => (currentTarget.value = ""));
          }}
        />
      </label>
      {sent !== undefined && (
        <p role="status">
          <progress max={1} value={sent} aria-label={t.upload} /> {Math.round(sent * 100)} %
        </p>
      )}
      <Problem of={refused} />
    </section>
  );
}

const megabytes = ({ bytes }: MapFileView) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** One after the other: a request has a time limit, and a large file on a slow line would pass it. */
async function sendInPieces(file: File, onSent: (share: number) => void): Promise<void> {
  const name = file.name
    .toLowerCase()
    .replace(/\.json$/, ".geojson")
    .replace(/[^a-z0-9._-]+/g, "-");
  for (let offset = 0; offset < file.size || offset === 0; offset += PIECE_BYTES) {
    const isLast = offset + PIECE_BYTES >= file.size;
    onSent(offset / Math.max(1, file.size));
    const path = `/map/${encodeURIComponent(name)}?offset=${offset}&last=${isLast}`;
    const piece = file.slice(offset, offset + PIECE_BYTES);
    await ask("PUT", path, piece, undefined, { "content-type": "application/octet-stream" });
  }
}
