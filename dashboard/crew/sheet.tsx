import { useEffect } from "preact/hooks";
import { messages } from "../messages/messages.ts";
import { language } from "../shell/preferences.ts";
import { tell } from "../words/tell.ts";
import { formatTime } from "../words/time.tsx";
import { districtName } from "../words/words.ts";
import { zone } from "../words/zone.ts";
import type { CrewState } from "./crew-state.ts";
import { bySeverity, type Card, givenWith, nameOfCard } from "./list.ts";

/** The work of the day on paper: what is one's own and what nobody has, the worst first, then place by place. */
export function WorkSheet({ crew, onPrinted }: { crew: CrewState; onPrinted: () => void }) {
  const t = messages.value.crew;
  useEffect(() => {
    addEventListener("afterprint", onPrinted);
    print();
    return () => removeEventListener("afterprint", onPrinted);
  }, []);
  const now = crew.now.value;
  const day = new Intl.DateTimeFormat(language.value, { dateStyle: "full", timeZone: zone.value }).format(now);
  const cards = crew.cards.value.filter(({ whose }) => whose !== "others").toSorted(byPlace);
  return (
    <div class="crew-sheet">
      <h1>{t.sheetTitle}</h1>
      <p>
        {[day, crew.me.value?.name, crew.district.value && districtName(crew.district.value)]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <table>
        <thead>
          <tr>
            <th>{t.sheetDone}</th>
            <th>{t.sheetPlace}</th>
            <th>{t.sheetWhat}</th>
            <th>{t.sheetNotes}</th>
          </tr>
        </thead>
        <tbody>
          {cards.map((card) => (
            <SheetRow key={card.key} crew={crew} card={card} now={now} />
          ))}
        </tbody>
      </table>
      <p class="quiet">{t.keptAt(formatTime(crew.savedAt.value, now))}</p>
    </div>
  );
}

function byPlace(a: Card, b: Card): number {
  const key = ({ district = "", place, key: own }: Card) => `${district} ${place?.name ?? own}`;
  return bySeverity(a, b) || key(a).localeCompare(key(b));
}

function SheetRow({ crew, card, now }: { crew: CrewState; card: Card; now: number }) {
  const { crew: t, words } = messages.value;
  const { place, district, warnings } = card;
  const advice = crew.list.value?.advice ?? {};
  return (
    <tr>
      <td>
        <span class="crew-box" />
      </td>
      <td>
        <strong>{nameOfCard(card)}</strong>
        {district && <div>{districtName(district)}</div>}
        {place?.lat !== undefined && place.lon !== undefined && (
          <div class="quiet">{`${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`}</div>
        )}
      </td>
      <td>
        {warnings.map((warning) => {
          const told = tell(warning);
          const given = givenWith(warning);
          return (
            <div key={warning.id} class="crew-sheet-task">
              <strong>
                {words.severity[warning.severity]}: {told.title}
              </strong>
              <div>{told.explanation}</div>
              <div>{told.advice ?? advice[warning.rule.id]}</div>
              {given && (
                <div>
                  {t.givenBy(given.by)}: {given.words}
                </div>
              )}
              <div class="quiet">{t.since(formatTime(Date.parse(warning.startedAt), now))}</div>
            </div>
          );
        })}
      </td>
      <td class="crew-sheet-notes" />
    </tr>
  );
}
