import { messages } from "../../messages/messages.ts";
import { districtName } from "../../words/units.ts";
import type { CrewState } from "../crew-state.ts";
import { ORDERS, type Order } from "../list/cards.ts";

/** In which order, and where. */
export function Steering({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;

  function choose(order: Order): void {
    crew.setOrder(order);
    if (order === "near") crew.locator.locate();
  }

  return (
    <div class="crew-steering">
      <fieldset class="tabs">
        <legend class="hidden">{t.order}</legend>
        {ORDERS.map((order) => (
          <label key={order}>
            <input type="radio" name="order" checked={crew.order.value === order} onChange={() => choose(order)} />
            <span>{t.orders[order]}</span>
          </label>
        ))}
      </fieldset>
      {crew.districts.value.length > 1 && (
        <select
          aria-label={t.district}
          value={crew.district.value}
          onChange={(event) => crew.setDistrict(event.currentTarget.value)}
        >
          <option value="">{t.allDistricts}</option>
          {crew.districts.value.map((one) => (
            <option key={one} value={one}>
              {districtName(one)}
            </option>
          ))}
        </select>
      )}
      <Locating crew={crew} />
    </div>
  );
}

function Locating({ crew }: { crew: CrewState }) {
  const t = messages.value.crew;
  const state = crew.locator.state.value;
  if (state === "off") return null;
  const text = { asking: t.locating, on: t.locateHint, denied: t.locateDenied, failed: t.locateFailed }[state];
  return (
    <p class="quiet" role="status">
      {text}
    </p>
  );
}
