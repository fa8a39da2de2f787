import { computed, signal } from "@preact/signals";

const here = signal(new URL(location.href));

export const path = computed(() => here.value.pathname);
/** What stands behind the `?`. Filters live there, so that a link shows what its sender saw. */
export const query = computed(() => here.value.searchParams);

/** Goes to another place within the page. `replace`: without a step in the history. */
export function navigate(href: string, options: { replace?: boolean } = {}): void {
  const url = new URL(href, location.href);
  if (options.replace) history.replaceState(undefined, "", url);
  else history.pushState(undefined, "", url);
  here.value = url;
}

/** Changes parts of the query and leaves the rest; "" or undefined takes a part away. */
export function setQuery(change: Readonly<Record<string, string | undefined>>): void {
  const url = new URL(here.value);
  for (const [name, value] of Object.entries(change)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  navigate(url.href, { replace: true });
}

/** What a page gets: the named parts of its path, such as `id` of `/alerts/:id`. */
export type PageProps = { readonly params: Readonly<Record<string, string>> };

/** `/alerts/:id` and `/alerts/a1` are `{id: "a1"}`; undefined where they do not fit. */
export function match(pattern: string, actual: string): PageProps["params"] | undefined {
  const [want, have] = [pattern.split("/"), actual.replace(/(.)\/$/, "$1").split("/")];
  if (want.length !== have.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, step] of want.entries()) {
    if (!step.startsWith(":")) {
      if (step !== have[i]) return undefined;
      continue;
    }
    const value = decoded(have[i]!);
    if (value === undefined) return undefined;
    params[step.slice(1)] = value;
  }
  return params;
}

/** Undefined for what a typing error made of an address, such as `%`. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

type MayLeave = () => boolean;
let mayLeave: MayLeave = () => true;

/** Asked before a link of our own, back or forward leads away: a page with unsaved changes may say no. Undo it when the page closes. */
export function guardLeaving(ask: MayLeave): () => void {
  mayLeave = ask;
  return () => {
    if (mayLeave === ask) mayLeave = () => true;
  };
}

/** Back, forward, and plain clicks on links of our own. `isOurs` says which paths are the page's and not the API's. */
export function followLinks(isOurs: (pathname: string) => boolean): void {
  addEventListener("popstate", () => {
    // The address has changed already: it is put back.
    if (mayLeave()) here.value = new URL(location.href);
    else history.pushState(undefined, "", here.peek());
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    const url = new URL(link.href);
    if (!isOurs(url.pathname) || url.hash) return;
    event.preventDefault();
    if (mayLeave()) navigate(url.href);
  });
}
