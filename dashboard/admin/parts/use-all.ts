import { useEffect, useState } from "preact/hooks";
import { eachPage } from "../../api/client.ts";

/** A whole list of the service, with a way to ask again: what was there stays until the new one is. */
export function useAll<T>(path: string) {
  const [items, setItems] = useState<readonly T[] | undefined>();
  const [problem, setProblem] = useState<unknown>();
  const [round, setRound] = useState(0);

  useEffect(() => {
    const leaving = new AbortController();
    const all: T[] = [];
    eachPage<T>(path, (page) => void all.push(...page), leaving.signal).then(
      () => {
        setItems(all);
        setProblem(undefined);
      },
      (error) => leaving.signal.aborted || setProblem(error),
    );
    return () => leaving.abort();
  }, [path, round]);

  return { items, problem, reload: () => setRound((former) => former + 1) };
}
