import { inflateSync } from "node:zlib";

/** The text of each page of a PDF as Chromium writes it: fonts as glyph numbers with a table of characters (ISO 32000-1, 9.10.3). */
export function textOfPages(pdf: Buffer): string[] {
  const objects = objectsOf(pdf);
  const pages = [...objects.values()].filter(({ head }) => /\/Type\s*\/Page\b/.test(head));
  return pages.map(({ head }) => {
    const fonts = new Map<string, ReadonlyMap<string, string>>();
    for (const [, name, id] of resourcesOf(head, objects).matchAll(/\/(F\d+)\s+(\d+) 0 R/g)) {
      const toUnicode = /\/ToUnicode\s+(\d+) 0 R/.exec(objects.get(Number(id))?.head ?? "")?.[1];
      if (toUnicode) fonts.set(name!, charactersOf(objects.get(Number(toUnicode))?.text ?? ""));
    }
    const contents = [.../\/Contents\s*(\[[^\]]*\]|\d+ 0 R)/.exec(head)![1]!.matchAll(/(\d+) 0 R/g)];
    return contents.map(([, id]) => wordsOf(objects.get(Number(id))?.text ?? "", fonts)).join("");
  });
}

type PdfObject = { readonly head: string; readonly text: string };

function objectsOf(pdf: Buffer): Map<number, PdfObject> {
  const objects = new Map<number, PdfObject>();
  const all = pdf.toString("latin1");
  for (const found of all.matchAll(/(?:^|\n)(\d+) 0 obj\b/g)) {
    const from = found.index + found[0].length;
    const end = all.indexOf("endobj", from);
    const stream = all.indexOf("stream", from);
    if (stream < 0 || stream > end) objects.set(Number(found[1]), { head: all.slice(from, end), text: "" });
    else {
      const head = all.slice(from, stream);
      const start = all.indexOf("\n", stream) + 1;
      const bytes = pdf.subarray(start, start + Number(/\/Length\s+(\d+)/.exec(head)?.[1] ?? 0));
      const isPacked = head.includes("/FlateDecode") && !head.includes("/Image");
      objects.set(Number(found[1]), { head, text: isPacked ? inflateSync(bytes).toString("latin1") : "" });
    }
  }
  return objects;
}

function resourcesOf(head: string, objects: ReadonlyMap<number, PdfObject>): string {
  const id = /\/Resources\s+(\d+) 0 R/.exec(head)?.[1];
  return id ? objects.get(Number(id))!.head : head;
}

function charactersOf(map: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const write = (hex: string) => Buffer.from(hex, "hex").swap16().toString("utf16le");
  for (const [, part] of map.matchAll(/beginbfchar([\s\S]*?)endbfchar/g))
    for (const [, glyph, to] of part!.matchAll(/<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>/g))
      found.set(glyph!.toUpperCase(), write(to!));
  for (const [, part] of map.matchAll(/beginbfrange([\s\S]*?)endbfrange/g))
    for (const [, from, to, first] of part!.matchAll(/<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>/g))
      for (let i = 0; i <= Number.parseInt(to!, 16) - Number.parseInt(from!, 16); i += 1) {
        const glyph = (Number.parseInt(from!, 16) + i).toString(16).padStart(4, "0").toUpperCase();
        found.set(glyph, String.fromCharCode(Number.parseInt(first!, 16) + i));
      }
  return found;
}

/** What is written, line after line; where letters are placed one by one, without what was between the words. */
function wordsOf(content: string, fonts: ReadonlyMap<string, ReadonlyMap<string, string>>): string {
  let text = "";
  let font: ReadonlyMap<string, string> | undefined;
  for (const [, name, shown, ended] of content.matchAll(/\/(F\d+)\s+[\d.]+\s+Tf|<([0-9A-Fa-f\s]+)>|\b(ET)\b/g)) {
    if (name) font = fonts.get(name);
    if (shown)
      for (const glyph of shown.replaceAll(/\s/g, "").match(/.{4}/g) ?? [])
        text += font?.get(glyph.toUpperCase()) ?? "";
    if (ended) text += "\n";
  }
  return text;
}
