import { useEffect, useState } from "preact/hooks";
import { ApiProblem, eachPage } from "../api/client.ts";
import { messages } from "../messages/messages.ts";
import { describeProblem } from "../words/words.ts";
import { Button } from "./fields.tsx";

/**
 * What the service answers, asked for when `deps` change, on `reload`, and every so often. What was there stays until the
 * next answer.
 */
export function useLoaded<T>(
  load: (signal: AbortSignal) => Promise<T>,
  deps: readonly unknown[] = [],
  everyMs?: number,
) {
  const [found, setFound] = useState<T | undefined>();
  const [problem, setProblem] = useState<unknown>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    const ask = () =>
      load(leaving.signal).then(
        (answer) => {
          if (leaving.signal.aborted) return;
          setFound(answer);
          setProblem(undefined);
        },
        (error: unknown) => leaving.signal.aborted || setProblem(error),
      );
    setProblem(undefined);
    void ask();
    const timer = everyMs === undefined ? undefined : setInterval(() => void ask(), everyMs);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, [...deps, round]);
  return { found, problem, reload: () => setRound((former) => former + 1) };
}

/** Every page of a list. */
export async function loadAll<T>(path: string, signal: AbortSignal): Promise<readonly T[]> {
  const all: T[] = [];
  await eachPage<T>(path, (page) => void all.push(...page), signal);
  return all;
}

type MessageProps = {
  readonly title: string;
  readonly text?: string;
  readonly action?: string;
  readonly onAction?: () => void;
  readonly link?: { readonly href: string; readonly text: string };
};

/** A whole page with little to say: nothing here, not found, failed. */
export function Message({ title, text, action, onAction, link }: MessageProps) {
  return (
    <div class="message stack">
      <h1 tabIndex={-1}>{title}</h1>
      {text && <p>{text}</p>}
      {action && <Button onClick={onAction}>{action}</Button>}
      {link && <a href={link.href}>{link.text}</a>}
    </div>
  );
}

/** What went wrong, in a sentence; nothing where nothing did. */
export function Problem({ of }: { of: unknown }) {
  if (of === undefined) return null;
  return (
    <p class="wrong" role="alert">
      {describeProblem(of)}
    </p>
  );
}

export const Loading = () => <p class="quiet loading">{messages.value.shell.loading}</p>;

/** The service knows no such thing. */
export const isMissing = (problem: unknown): boolean => problem instanceof ApiProblem && problem.status === 404;

type AbsentProps = Pick<MessageProps, "link"> & {
  readonly problem: unknown;
  /** What to say when the service knows no such thing. */
  readonly missing?: string;
  readonly onRetry?: () => void;
};

/** In place of a page whose content is not there: on its way, unknown to the service, or not to be had. */
export function Absent({ problem, missing, link, onRetry }: AbsentProps) {
  if (problem === undefined) return <Loading />;
  if (missing && isMissing(problem)) return <Message title={missing} {...(link ? { link } : {})} />;
  const retry = onRetry && { action: messages.value.shell.retry, onAction: onRetry };
  return <Message title={describeProblem(problem)} {...retry} />;
}
