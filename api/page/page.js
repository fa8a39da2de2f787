// The whole page: a token, the open alerts, the latest readings, live. Text from outside only ever goes through
// textContent.
const API = "api/v1";
const TOKEN = "lamppost-token";
const ALERTS_SHOWN = 50;
const READINGS_SHOWN = 500;
const PAINT_EVERY_MS = 500;
const at = (id) => document.getElementById(id);
const alerts = new Map();
const latest = new Map();
let painting = false;
let alertsChanged = true;

at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, at("token").value.trim());
  at("token").value = "";
  start();
});
at("logout").addEventListener("click", () => {
  sessionStorage.removeItem(TOKEN);
  location.reload();
});

showReadiness();
setInterval(showReadiness, 15_000);
if (sessionStorage.getItem(TOKEN)) start();

async function showReadiness() {
  try {
    const { ready, parts } = await (await fetch("readyz")).json();
    const troubled = parts
      .filter((part) => part.state !== "ok")
      .map((part) => `${part.part}: ${part.reason ?? part.state}`);
    at("ready").textContent = [ready ? "The service is ready." : "The service is not ready.", ...troubled].join(" ");
  } catch {
    at("ready").textContent = "The service does not answer.";
  }
}

async function start() {
  at("message").textContent = "";
  try {
    for (const alert of (await ask(`${API}/alerts?state=firing&limit=${ALERTS_SHOWN}`)).items)
      alerts.set(alert.id, alert);
    for (const reading of (await ask(`${API}/readings/latest?limit=1000`)).items) keep(reading);
  } catch (error) {
    sessionStorage.removeItem(TOKEN);
    at("message").textContent = error.message;
    return;
  }
  at("login").hidden = true;
  at("city").hidden = false;
  paint();
  follow();
}

async function call(path, headers = {}) {
  const response = await fetch(path, {
    headers: { authorization: `Bearer ${sessionStorage.getItem(TOKEN)}`, ...headers },
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? problem.title ?? `The service answered ${response.status}.`);
}

async function ask(path) {
  return (await call(path)).json();
}

// EventSource cannot send a token, so the stream is read by hand; the last id makes it whole after a break.
async function follow(lastId) {
  try {
    const response = await call(`${API}/events?readings=true`, lastId ? { "last-event-id": lastId } : {});
    at("message").textContent = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      const frames = (text + step.value).split("\n\n");
      text = frames.pop();
      for (const frame of frames) lastId = take(frame) ?? lastId;
    }
  } catch (error) {
    at("message").textContent = `Not live: ${error.message} Trying again.`;
  }
  setTimeout(() => follow(lastId), 3_000);
}

function take(frame) {
  const fields = Object.fromEntries(
    frame.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]),
  );
  if (!fields.data) return undefined;
  const data = JSON.parse(fields.data);
  if (fields.event === "readings") data.forEach(keep);
  if (fields.event === "alert") {
    if (data.alert.state === "firing") alerts.set(data.alert.id, data.alert);
    else alerts.delete(data.alert.id);
    alertsChanged = true;
  }
  // However fast the city talks, a person can read only so fast.
  if (!painting) setTimeout(paint, PAINT_EVERY_MS);
  painting = true;
  return fields.id;
}

function keep(reading) {
  const key = `${reading.sensorId}/${reading.kind}`;
  if (!(latest.get(key)?.measuredAt > reading.measuredAt)) latest.set(key, reading);
}

function paint() {
  painting = false;
  const readings = [...latest.values()].sort((a, b) => (a.sensorId < b.sensorId ? -1 : 1));
  at("latest-count").textContent = `${readings.length} sensors`;
  at("latest").replaceChildren(...readings.slice(0, READINGS_SHOWN).map(readingRow));
  // Only on a change: screen readers read the list out.
  if (alertsChanged) paintAlerts();
}

function paintAlerts() {
  alertsChanged = false;
  const firing = [...alerts.values()].sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
  at("alerts-count").textContent = firing.length === 0 ? "none" : `${firing.length} firing`;
  at("alerts").replaceChildren(...firing.slice(0, ALERTS_SHOWN).map(alertItem));
}

function alertItem(alert) {
  const where = [alert.subject.sensorId, alert.subject.district].filter(Boolean).join(", ");
  const item = element("li", "", [
    element("strong", `${alert.severity}: ${alert.rule.title}`),
    element("p", alert.explanation),
    element("p", `${where} · since ${clock(alert.startedAt)} · ${alert.handling}`),
  ]);
  item.className = alert.severity;
  item.lastChild.className = "when";
  return item;
}

function readingRow(reading) {
  const values = Object.entries(reading.values).map(([metric, value]) => `${metric} ${value}`);
  const cells = [reading.district, reading.kind, clock(reading.measuredAt), values.join("  ")];
  const head = element("th", reading.sensorId);
  head.scope = "row";
  return element("tr", "", [head, ...cells.map((text) => element("td", text))]);
}

function element(name, text, children = []) {
  const node = document.createElement(name);
  node.textContent = text;
  node.append(...children);
  return node;
}

function clock(time) {
  return new Date(time).toLocaleString();
}
