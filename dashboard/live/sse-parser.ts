export type StreamEvent = { readonly id?: string; readonly type: string; readonly data: string };

/**
 * Server-Sent Events from text as it arrives, cut anywhere. (WHATWG HTML, section 9.2.6; `retry` and lone CR are left
 * out, the service sends neither within events.)
 */
export function createSseParser(take: (event: StreamEvent) => void): (text: string) => void {
  let rest = "";
  let id: string | undefined;
  let type = "message";
  let data: string[] = [];

  function finish(): void {
    if (data.length > 0) take({ ...(id === undefined ? {} : { id }), type, data: data.join("\n") });
    id = undefined;
    type = "message";
    data = [];
  }

  function line(text: string): void {
    if (text === "") return finish();
    const colon = text.indexOf(":");
    if (colon === 0) return; // a comment: still here
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "event") type = value;
    else if (field === "id") id = value;
  }

  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const one of lines) line(one.endsWith("\r") ? one.slice(0, -1) : one);
  };
}
