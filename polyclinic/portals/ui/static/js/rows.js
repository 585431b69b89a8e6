// Live parts of a page: rows that come, change, move and go one at a time, and regions replaced as a whole.
// The row a person has focus in never moves and never loses that focus.
import { announce } from "./announce.js";
import { fill, word } from "./words.js";

const FOCUSABLE = "a[href], button, summary, input, select, textarea, [tabindex='0']";

const concerns = (part, event) => {
  const types = (part.dataset.liveTypes ?? "").split(" ").filter(Boolean);
  // One of several is enough: a visit's events name it by another field than its invoice's.
  const match = part.dataset.liveMatch?.split(" ").map((pair) => pair.split(":"));
  if (match && !match.some(([name, value]) => String(event[name]) === value)) return false;
  return types.some((type) => (type.endsWith(".") ? event.type.startsWith(type) : event.type === type));
};

/** @type {Map<string, {again: boolean}>} fetches under way, by address */
const under = new Map();

/**
 * Fetch a partial and hand it on. Events meanwhile cause one further fetch, not one each.
 * @param {string} url @param {(html: string) => void} use
 */
const refresh = async (url, use) => {
  const running = under.get(url);
  if (running) {
    running.again = true;
    return;
  }
  const job = { again: false };
  under.set(url, job);
  try {
    do {
      job.again = false;
      const answer = await fetch(url, { cache: "no-store", headers: { "X-Requested-With": "live", Accept: "text/html" } });
      if (answer.ok) use(answer.status === 204 ? "" : await answer.text());
      else if (answer.status === 404) use("");
    } while (job.again);
  } catch {
    // The line is down; live.js says so, and the events come again with it or a resync does.
  } finally {
    under.delete(url);
  }
};

const parse = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
};

const { compare } = new Intl.Collator("en");

/** Put a row where data-sort says. */
const place = (container, row) => {
  const down = container.dataset.liveOrder === "desc" ? -1 : 1;
  const key = row.dataset.sort ?? "";
  const after = [...container.querySelectorAll(":scope > [data-live-row]")].find(
    (other) => other !== row && compare(other.dataset.sort ?? "", key) * down > 0,
  );
  container.insertBefore(row, after ?? null);
};

const count = (container) => {
  const empty = container.dataset.liveEmpty && document.querySelector(container.dataset.liveEmpty);
  if (empty) empty.hidden = container.querySelector(":scope > [data-live-row]") !== null;
};

const remove = (container, row) => {
  if (row.contains(document.activeElement)) {
    const near = row.nextElementSibling ?? row.previousElementSibling ?? container.closest("section, main");
    const target = near?.querySelector(FOCUSABLE) ?? document.getElementById("main");
    row.remove();
    target?.focus();
  } else row.remove();
  count(container);
};

/** Show the new state in every cell but the one in use; the rest when focus leaves the row. */
const changeUnderFocus = (container, row, fresh) => {
  const cells = [...row.children];
  const next = [...fresh.cloneNode(true).children];
  if (cells.length === next.length) {
    cells.forEach((cell, at) => cell.contains(document.activeElement) || cell.replaceWith(next[at]));
  }
  if (!row.hasAttribute("data-pending")) {
    const mark = document.createElement("span");
    mark.className = "tag warn";
    mark.textContent = word("updated");
    document.activeElement.closest("[data-live-row] > *")?.append(mark);
    announce(word("updated"));
    const settle = () =>
      // Focus moves after focusout; only then is it known whether it stayed in the row.
      requestAnimationFrame(() => {
        if (row.contains(document.activeElement)) return;
        row.removeEventListener("focusout", settle);
        row.replaceWith(row.pendingRow);
        place(container, row.pendingRow);
      });
    row.addEventListener("focusout", settle);
  }
  row.dataset.pending = "";
  row.pendingRow = fresh;
};

const applyRow = (container, id, html) => {
  const fresh = parse(html).querySelector("[data-live-row]");
  const row = document.getElementById(id);
  if (!fresh) return row && container.contains(row) ? remove(container, row) : undefined;
  if (row?.contains(document.activeElement)) return changeUnderFocus(container, row, fresh);
  fresh.dataset.fresh = "";
  row?.remove();
  place(container, fresh);
  count(container);
};

/** Replace a region, keeping what was chosen and where focus was. */
const applyRegion = (region, html) => {
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const chosen = [...region.querySelectorAll("input:checked")].map(({ name, value }) => ({ name, value }));
  const incoming = parse(html).querySelector("[data-live-region]");
  if (incoming?.isEqualNode(region)) return;
  // What did not change stays, and the region itself does: a new one has a long page drawn anew.
  if (incoming) for (const name of region.getAttributeNames()) region.removeAttribute(name);
  for (const { name, value } of incoming?.attributes ?? []) region.setAttribute(name, value);
  region.replaceChildren(...(incoming ?? parse(html)).childNodes);
  for (const { name, value } of chosen) {
    const input = region.querySelector(`input[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);
    if (input) input.checked = true;
  }
  if (!focused) return;
  const same =
    (focused.id && document.getElementById(focused.id)) ||
    (focused.name && region.querySelector(`[name="${CSS.escape(focused.name)}"][value="${CSS.escape(focused.value)}"]`)) ||
    region.querySelector(FOCUSABLE) ||
    document.getElementById("main");
  same?.focus();
};

/** Fetch one anew. */
const renew = (region, event) => {
  const src = region.dataset.liveSrc;
  // Looked up again: it may have gone while the partial was on its way.
  const present = () => [...document.querySelectorAll("[data-live-region]")].find((r) => r.dataset.liveSrc === src);
  refresh(fill(src, event), (html) => present() && applyRegion(present(), html));
};

const onEvent = (event) => {
  for (const container of document.querySelectorAll("[data-live-rows]")) {
    if (!concerns(container, event)) continue;
    const url = fill(container.dataset.liveSrc, event);
    const id = fill(container.dataset.liveRowId ?? "appointment-{appointmentId}", event);
    if (!/\{\w+\}/.test(url + id)) refresh(url, (html) => applyRow(container, id, html));
  }
  for (const region of document.querySelectorAll("[data-live-region]")) {
    if (concerns(region, event)) renew(region, event);
  }
};

/** Nothing can be resumed: fetch the page itself and take its live parts. */
const onResync = () =>
  refresh(location.href, (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const kind of ["[data-live-rows]", "[data-live-region]"]) {
      const fresh = page.querySelectorAll(kind);
      document.querySelectorAll(kind).forEach((part, at) => {
        if (!fresh[at]) return;
        if (kind === "[data-live-region]") applyRegion(part, fresh[at].outerHTML);
        else {
          part.replaceChildren(...fresh[at].children);
          count(part);
        }
      });
    }
  });

/** Regions that say how long ago something was are fetched anew while somebody may be looking. */
const onTime = () => {
  if (document.hidden) return;
  const now = Date.now();
  for (const region of document.querySelectorAll("[data-live-every]")) {
    const src = region.dataset.liveSrc;
    const due = (fetched.get(src) ?? started) + Number(region.dataset.liveEvery) * 1000;
    if (now < due) continue;
    fetched.set(src, now);
    renew(region, {});
  }
};
/** @type {Map<string, number>} when a region was last fetched for its age, by address */
const fetched = new Map();
const started = Date.now();

export const watch = () => {
  if (document.querySelector("[data-live-every]")) setInterval(onTime, 1000);
  document.addEventListener("live:event", ({ detail }) => onEvent(detail));
  document.addEventListener("live:resync", onResync);
};
