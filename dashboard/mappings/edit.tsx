import "../rules/rules.css";
import "./mappings.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { PageOf } from "../../contract/common.ts";
import type { BaseView, MappingView, SeenMessageView, UnmappedView } from "../../contract/mapping.ts";
import { ApiProblem, request } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Check, Field, typed } from "../parts/fields.tsx";
import { Form, useAttempt, useUnsavedWarning, VersionConflict, WordsForm } from "../parts/forms.tsx";
import { Code } from "../parts/show.tsx";
import { Absent, Problem, useLoaded } from "../parts/state.tsx";
import { YamlEditor } from "../rules/yaml-editor.tsx";
import type { PageProps } from "../shell/router.ts";
import { navigate, query, setQuery } from "../shell/router.ts";
import { Moment } from "../words/time.tsx";
import { describeProblem } from "../words/words.ts";
import { type Draft, openDraft } from "./draft.ts";
import {
  loadMapping,
  loadMessages,
  loadSuggestion,
  loadVersions,
  MAPPINGS_HREF,
  mappingHref,
  redriveMapping,
  removeMapping,
  saveMapping,
} from "./mappings-api.ts";
import { MessagePanel, shownOf } from "./message-panel.tsx";

/** `/mappings/:id`: a mapping beside a real message; with `?device=` a sender is added to it, ready to be saved. */
export function EditMappingPage({ params }: PageProps) {
  const id = params.id!;
  const t = messages.value.mappings;
  const device = query.value.get("device") ?? undefined;
  // Once saved it is loaded anew.
  const saved = query.value.get("v") ?? "";
  const asked = `${id} ${device ?? ""} ${saved}`;
  const { found, problem } = useLoaded(
    async (signal) => {
      const [mapping, seen, suggested] = await Promise.all([
        loadMapping(id, signal),
        loadMessages(id, signal),
        device === undefined ? undefined : loadSuggestion(device, id, signal).catch(() => undefined),
      ]);
      return { asked, mapping, seen: ofDevice(seen, device), text: suggested?.yaml };
    },
    [asked],
  );
  if (found?.asked !== asked || problem !== undefined)
    return <Absent problem={problem} missing={t.notFound} link={{ href: MAPPINGS_HREF, text: t.back }} />;
  const { mapping, seen, text } = found;
  return <Editor key={asked} id={id} base={mapping} text={text ?? mapping.yaml ?? ""} seen={seen} device={device} />;
}

/** The sender that is to be mapped comes first. */
function ofDevice(seen: readonly SeenMessageView[], device: string | undefined): readonly SeenMessageView[] {
  return device === undefined
    ? seen
    : [...seen].sort((a, b) => Number(b.device === device) - Number(a.device === device));
}

/** `/new-mapping`: over a base that comes along; with `?device=` over the one that reads this sender best. */
export function NewMappingPage() {
  const t = messages.value.mappings;
  const device = query.value.get("device") ?? undefined;
  const base = query.value.get("base") ?? "json";
  const asked = device ?? base;
  const { found, problem } = useLoaded(
    async (signal) => {
      const { items } = await request<PageOf<BaseView>>("GET", "/mapping-bases", undefined, signal);
      const suggested = device === undefined ? undefined : await loadSuggestion(device, undefined, signal);
      return { asked, bases: items, suggested };
    },
    [asked],
  );
  if (found?.asked !== asked || problem !== undefined)
    return <Absent problem={problem} missing={t.notFound} link={{ href: MAPPINGS_HREF, text: t.back }} />;
  const { bases, suggested } = found;
  if (suggested)
    return (
      <Editor
        key={asked}
        id={suggested.mapping}
        text={suggested.yaml}
        seen={suggested.sender.payload === "" ? [] : [seenOf(suggested.sender)]}
        device={device}
      />
    );
  return <Editor key={asked} id={base} text={templateOf(base)} seen={[]} bases={bases} />;
}

const seenOf = ({ device, topic, lastSeen: receivedAt, payload, isText }: UnmappedView): SeenMessageView => ({
  what: "unmapped",
  device,
  topic,
  receivedAt,
  payload,
  isText,
});

const templateOf = (base: string) => `base: ${base}
district: ""
kind: air
sensors:
  - { device: "1", sensor: sensor-1 }
`;

type EditorProps = {
  /** Of a new one a proposal. */
  readonly id: string;
  readonly base?: MappingView;
  readonly text: string;
  readonly seen: readonly SeenMessageView[];
  /** Who is being mapped. */
  readonly device?: string | undefined;
  readonly bases?: readonly BaseView[];
};

function Editor({ id, base, text, seen, device, bases }: EditorProps) {
  const t = messages.value.mappings;
  const draft = useMemo(() => openDraft(base, text, seen[0] && shownOf(seen[0])), []);
  useEffect(() => draft.close, []);
  useUnsavedWarning(() => draft.dirty.peek(), t.leave);
  return (
    <div class="rules mapping page">
      <header class="cluster spread">
        <h1 tabIndex={-1}>{base?.id ?? t.newMapping}</h1>
        <a href={MAPPINGS_HREF}>{t.back}</a>
      </header>
      {base?.title !== undefined && <p class="quiet">{base.title}</p>}
      {base && <Waiting id={id} waiting={base.waiting ?? 0} isSending={device !== undefined} />}
      {bases && (
        <Field
          label={t.base}
          name="base"
          value={id}
          options={bases.map(({ name, title }) => [name, `${name}: ${title}`, "en"] as const)}
          onChoose={(chosen) => setQuery({ base: chosen })}
        />
      )}
      <div class="halves">
        <div class="stack">
          <YamlEditor text={draft.text} mistakes={draft.mistakes.value} status={draft.status.value} of={t} />
          <SaveForm draft={draft} id={id} device={device} waiting={base?.waiting ?? 0} />
        </div>
        <MessagePanel draft={draft} seen={seen} />
      </div>
      {base && <Versions id={id} draft={draft} />}
    </div>
  );
}

/** After a change: what it did not read before may be read now. */
function Waiting({ id, waiting, isSending }: { id: string; waiting: number; isSending: boolean }) {
  const t = messages.value.mappings;
  const { busy, problem, attempt } = useAttempt();
  const [sent, setSent] = useState<number>();
  const version = query.value.get("v");
  const asked = query.value.get("redriven");
  const done = sent ?? (asked === null ? undefined : Number(asked));
  return (
    <>
      {version !== null && (
        <p class="note" role="status">
          {t.saved(Number(version))} {done !== undefined && t.redriven(done)}
        </p>
      )}
      {version === null && done !== undefined && (
        <p class="note" role="status">
          {t.redriven(done)}
        </p>
      )}
      {waiting > 0 && !isSending && done === undefined && (
        <p class="note cluster spread">
          <Button
            disabled={busy}
            onClick={() => void attempt(async () => setSent((await redriveMapping(id)).redriven))}
          >
            {t.redrive(waiting)}
          </Button>
        </p>
      )}
      <Problem of={problem} />
    </>
  );
}

type SaveFormProps = {
  readonly draft: Draft;
  readonly id: string;
  readonly device: string | undefined;
  readonly waiting: number;
};

function SaveForm({ draft, id, device, waiting }: SaveFormProps) {
  const t = messages.value.mappings;
  const present = draft.present.value;
  const [redrive, setRedrive] = useState(true);
  const mayWait = waiting > 0 || present === undefined;

  async function save(data: FormData): Promise<void> {
    const name = present?.id ?? typed(data, "id") ?? "";
    const saved = await saveMapping(name, draft.text.peek(), typed(data, "reason") ?? "", present?.version);
    const sent = redrive && mayWait ? (await redriveMapping(name)).redriven : 0;
    draft.rebase(saved, "on");
    navigate(`${mappingHref(name)}?v=${saved.version}${sent > 0 ? `&redriven=${sent}` : ""}`);
  }

  const isConflict = (problem: unknown) => problem instanceof ApiProblem && problem.status === 409;
  return (
    <Form
      class="panel"
      label={t.save}
      submitLabel={t.save}
      onSubmit={save}
      disabled={!draft.isRight.value || (present !== undefined && !draft.dirty.value)}
      explain={(problem) => isConflict(problem) && <Conflict draft={draft} said={describeProblem(problem)} />}
    >
      {present === undefined && <Field label={t.id} name="id" value={id} hint={t.idHint} required maxLength={64} />}
      <Field
        label={t.reason}
        name="reason"
        value={device === undefined ? undefined : t.reasonSensor(device).slice(0, 500)}
        hint={t.reasonHint}
        required
        maxLength={500}
      />
      {mayWait && (
        <Check label={waiting > 0 ? t.redriveToo(waiting) : t.redriveSome} checked={redrive} onChange={setRedrive} />
      )}
      <p class="quiet">{t.saveHint}</p>
    </Form>
  );
}

/** Somebody else changed it meanwhile: which of the two shall go on. */
function Conflict({ draft, said }: { draft: Draft; said: string }) {
  const { ruleEditor, mappings: t } = messages.value;
  const id = draft.present.peek()?.id;
  const load = async (signal: AbortSignal) => (id === undefined ? undefined : loadMapping(id, signal));
  const { found: theirs } = useLoaded(load, [id, said]);
  const isOld = theirs !== undefined && theirs.version !== draft.present.value?.version;
  return (
    <VersionConflict
      said={said}
      theirs={isOld ? { text: theirs.yaml ?? "", label: t.versionLine(theirs.version, theirs.by) } : undefined}
      take={t.theirs}
      onTake={() => theirs && draft.rebase(theirs, "up")}
      keep={ruleEditor.keepMine}
      onKeep={() => theirs && draft.rebase(theirs, "on")}
    />
  );
}

function Versions({ id, draft }: { id: string; draft: Draft }) {
  const t = messages.value.mappings;
  const version = draft.present.value?.version;
  const { found = [], problem } = useLoaded((signal) => loadVersions(id, signal), [id, version]);
  return (
    <section class="panel stack">
      <h2>{t.versions}</h2>
      <Problem of={problem} />
      <ul class="rule-versions stack">
        {found.map((one) => (
          <li key={one.id} class="stack">
            <p>
              {(one.text === undefined ? t.removedLine : t.versionLine)(one.version, one.by)},{" "}
              <Moment at={one.at} as="time" />: {one.reason}
            </p>
            {one.text !== undefined && (
              <details>
                <summary>{t.show}</summary>
                <Code text={one.text} label={t.versionLine(one.version, one.by)} />
                {one.version !== version && (
                  <Button
                    onClick={() => {
                      draft.text.value = one.text!;
                    }}
                  >
                    {t.takeBack}
                  </Button>
                )}
              </details>
            )}
          </li>
        ))}
      </ul>
      <details>
        <summary>{t.remove}</summary>
        <p class="quiet">{t.removeHint}</p>
        <WordsForm
          label={t.reason}
          name="reason"
          oneLine
          submitLabel={t.remove}
          onSubmit={async (reason) => {
            await removeMapping(id, { reason });
            draft.rebase({ ...draft.present.peek()!, yaml: draft.text.peek() }, "on");
            navigate(MAPPINGS_HREF);
          }}
        />
      </details>
    </section>
  );
}
