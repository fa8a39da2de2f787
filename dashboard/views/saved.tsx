import "./views.css";
import { useState } from "preact/hooks";
import type { SavedView } from "../../contract/views.ts";
import { request, send } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { Button, Field, typed } from "../parts/fields.tsx";
import { Form, useAttempt } from "../parts/forms.tsx";
import { Dialog } from "../parts/show.tsx";
import { Loading, loadAll, Problem, useLoaded } from "../parts/state.tsx";
import { navigate, path, query } from "../shell/router.ts";

const PATHS: Readonly<Record<SavedView["page"], string>> = {
  desk: "/",
  sensors: "/sensors",
  capture: "/capture",
  compare: "/compare",
  report: "/report",
};
const pageNow = () => (Object.keys(PATHS) as SavedView["page"][]).find((page) => PATHS[page] === path.value) ?? "desk";
const addressOf = ({ page, query: asked }: Pick<SavedView, "page" | "query">) =>
  asked === "" ? PATHS[page] : `${PATHS[page]}?${asked}`;

/** The filters one has saved, of all pages, and the ones of this page to save. */
export function SavedViews({ onClose }: { onClose: () => void }) {
  const { views: t, pages, shell } = messages.value;
  const { found, problem, reload } = useLoaded((signal) => loadAll<SavedView>("/views", signal));
  const { problem: failed, attempt } = useAttempt();
  const page = pageNow();
  const asked = query.value.toString();

  async function save(data: FormData, form: HTMLFormElement): Promise<void> {
    await send("POST", "/views", { page, name: typed(data, "name") ?? "", query: asked });
    form.reset();
    reload();
  }

  return (
    <Dialog title={t.title} class="views" onClose={onClose}>
      {(close) => (
        <>
          {!found && problem === undefined && <Loading />}
          <Problem of={problem ?? failed} />
          {found?.length === 0 && <p class="quiet">{t.none}</p>}
          {found && found.length > 0 && (
            <ul class="views-list">
              {found.map((view) => (
                <li key={view.id}>
                  <a
                    href={addressOf(view)}
                    onClick={(event) => {
                      event.preventDefault();
                      close();
                      navigate(addressOf(view));
                    }}
                  >
                    {view.name} <small class="quiet">{pages[view.page]}</small>
                  </a>
                  <CopyLink view={view} />
                  <Button
                    class="quiet"
                    aria-label={`${t.remove}: ${view.name}`}
                    onClick={() =>
                      void attempt(async () => {
                        await request("DELETE", `/views/${view.id}`);
                        reload();
                      })
                    }
                  >
                    {t.remove}
                  </Button>
                </li>
              ))}
            </ul>
          )}
          <Form title={t.saveThese(pages[page])} submitLabel={t.save} onSubmit={save}>
            <p class="quiet">{asked === "" ? t.noFilters : t.linkHint}</p>
            <Field label={t.name} name="name" required maxLength={60} />
          </Form>
          <div class="cluster">
            <Button onClick={close}>{shell.close}</Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

/** What the link opens is in the link: whoever gets it needs nothing of mine. */
function CopyLink({ view }: { view: SavedView }) {
  const t = messages.value.views;
  const [shown, setShown] = useState<"copied" | "link" | undefined>();
  const link = new URL(addressOf(view), location.origin).href;

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(link);
      setShown("copied");
    } catch {
      // Without https scripts have no clipboard: people can still copy it by hand.
      setShown("link");
    }
  }

  return (
    <>
      <Button class="quiet" aria-label={`${t.copy}: ${view.name}`} onClick={() => void copy()}>
        {t.copy}
      </Button>
      <span role="status" class={shown === "link" ? "views-link" : "hidden"}>
        {shown === "copied" ? t.copied : shown === "link" ? link : ""}
      </span>
    </>
  );
}
