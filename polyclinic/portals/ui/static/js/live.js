// The live line of a page. One tab of the browser holds the stream (HTTP/1.1 allows six connections to a host) and
// passes events to the others; each tab keeps its own cursor, so whoever takes over asks only for what it has not seen.
import { read } from "./stream.js";
import { clock, word } from "./words.js";

const SILENT = 20_000; // the server beats every 15 s
const DEAD = 35_000;
const FIRST_WAIT = 400;
const LONGEST_WAIT = 30_000;
const POLL = 5000;
const OPENS_BEFORE_POLLING = 3;

const body = document.body;
const rooms = document.querySelector("[data-live-availability]")?.dataset.liveAvailability ?? "";
// The code of a ticket or a hall screen: who has it hears of that queue without an account.
const watched = body.querySelector("[data-live-watch]")?.dataset.liveWatch ?? "";
const name = `polyclinic-live:${body.dataset.liveAs ?? "anyone"}:${rooms}:${watched}`;

/** @type {number | null} the position of the last event this tab has seen */
let cursor = body.dataset.liveCursor ? Number(body.dataset.liveCursor) : null;
let leader = false;
let lastGood = Date.now();
let state = "connecting";
let failures = 0;
/** @type {AbortController | null} */
let line = null;
/** @type {(() => void) | null} cuts the present waiting short */
let wake = null;
const channel = new BroadcastChannel(name);

const show = (next) => {
  state = next;
  document.documentElement.dataset.live = next;
  const text = word(next, { time: clock(lastGood) });
  for (const badge of document.querySelectorAll("[data-connection]")) {
    badge.dataset.state = next;
    // Unchanged text is left alone: a status region speaks at each change.
    if (badge.textContent !== text) badge.textContent = text;
    if (next !== "connecting") badge.hidden = false;
  }
  if (next === "signed-out") dispatch("live:signed-out", null);
};

/** The state as this tab knows it, told to the other tabs when this one holds the line. @param {string} next */
const report = (next) => {
  if (next === "live" || next === "polling") lastGood = Date.now();
  show(next);
  if (leader) channel.postMessage({ kind: "state", state: next, lastGood });
};

const dispatch = (kind, detail) => document.dispatchEvent(new CustomEvent(kind, { detail }));

/** Hand an event to the page once, in order. @param {{id: number, type: string}} event */
const take = (event) => {
  if (cursor !== null && event.id <= cursor) return;
  cursor = event.id;
  dispatch("live:event", event);
};

/** The log cannot be resumed from our cursor: everything live on the page is fetched anew. */
const resync = (at) => {
  cursor = at;
  dispatch("live:resync", { cursor: at });
};

const query = () => {
  const given = new URLSearchParams();
  if (cursor !== null) given.set("cursor", String(cursor));
  if (rooms) given.set("availability", rooms);
  if (watched) given.set("watch", watched);
  return given.toString();
};

/** Nothing new up to this position. */
const onBeat = (position) => {
  const before = cursor;
  if (cursor === null || position > cursor) cursor = position;
  channel.postMessage({ kind: "beat", before, cursor });
};

const onFrame = (frame) => {
  if (!frame.data) return onBeat(Number(frame.id));
  const data = JSON.parse(frame.data);
  if (frame.event === "hello") {
    // A cursor of our own is older or equal, and the replay that follows starts there.
    cursor ??= data.cursor;
  } else if (frame.event === "resync") {
    resync(data.cursor ?? null);
    channel.postMessage({ kind: "resync", cursor });
  } else if (frame.event === "message") {
    const before = cursor;
    take(data);
    channel.postMessage({ kind: "event", event: data, before });
  }
};

/** Ask once for everything after our cursor. Returns the HTTP status. */
const poll = async () => {
  const answer = await fetch(`/live/poll?${query()}`, { cache: "no-store", headers: { Accept: "application/json" } });
  if (!answer.ok) return answer.status;
  const { cursor: head, resync: lost, events } = await answer.json();
  if (lost) {
    resync(head);
    if (leader) channel.postMessage({ kind: "resync", cursor });
  } else {
    for (const event of events) {
      const before = cursor;
      take(event);
      if (leader) channel.postMessage({ kind: "event", event, before });
    }
    if (cursor === null || head > cursor) cursor = head;
  }
  return answer.status;
};

/** Wait, at most `milliseconds`; the browser coming online ends it. */
const pause = (milliseconds) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    wake = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
  });

/** Open the stream and read it to its end. Returns its status, or 0 when the line failed. */
const listen = async () => {
  line = new AbortController();
  let heard = Date.now();
  const watch = setInterval(() => {
    const silence = Date.now() - heard;
    if (silence > DEAD) line?.abort();
    else if (silence > SILENT) report("stale");
    else lastGood = heard;
  }, 1000);
  try {
    return await read(`/live?${query()}`, line.signal, {
      open: () => {
        failures = 0;
        heard = Date.now();
        report("live");
      },
      bytes: () => {
        heard = Date.now();
        if (state !== "live") report("live");
      },
      frame: onFrame,
    });
  } catch {
    return 0; // an aborted or broken line; the caller waits and tries again
  } finally {
    clearInterval(watch);
    line = null;
  }
};

/** Between two tries: say how things stand, poll when the stream will not open, wait longer each time. */
const recover = async () => {
  failures += 1;
  // Half fixed, half random: after a restart a thousand browsers must not come back in the same instant.
  const ceiling = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failures - 1));
  let left = ceiling / 2 + Math.random() * (ceiling / 2);
  const stale = Date.now() - lastGood > 15_000;
  report(navigator.onLine ? (stale ? "stale" : "reconnecting") : "offline");
  if (failures < OPENS_BEFORE_POLLING) return pause(left);
  for (; left > 0; left -= POLL) {
    const status = await poll().catch(() => 0);
    if (status === 401) return;
    if (status === 200) report("polling");
    else report(navigator.onLine ? "stale" : "offline");
    await pause(Math.min(left, POLL));
    if (failures === 0) return; // online again: the stream may open now, and nobody waits out the rest
  }
};

/** Hold the line for all tabs of this person until this tab goes. */
const lead = async () => {
  leader = true;
  report("connecting");
  for (;;) {
    const status = await listen();
    if (status === 401 || status === 403) return report("signed-out");
    await recover();
  }
};

/** Events passed on by the tab that holds the line. */
const follow = async ({ data }) => {
  if (data.kind === "ask") {
    if (leader) channel.postMessage({ kind: "state", state, lastGood });
  } else if (data.kind === "state") {
    lastGood = data.lastGood;
    show(data.state);
  } else if (data.kind === "resync") {
    resync(data.cursor);
  } else {
    // The holder was further than we are: there are events between that we never saw. A poll gives a limited number.
    for (let tries = 0; tries < 20 && cursor !== null && data.before > cursor; tries += 1) await poll().catch(() => 0);
    if (data.kind === "event") take(data.event);
    else if (cursor === null || data.cursor > cursor) cursor = data.cursor;
  }
};

export const start = () => {
  // Most pages are live within a blink; only a slow start is worth a word.
  setTimeout(() => {
    if (state === "connecting") document.querySelectorAll("[data-connection]").forEach((badge) => (badge.hidden = false));
  }, 2000);
  channel.addEventListener("message", follow);
  // Listening first, then asking for what was published before we listened: nothing falls between the two.
  navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) return lead();
    channel.postMessage({ kind: "ask" });
    await poll().catch(() => 0);
    return undefined;
  }).then(() => leader || navigator.locks.request(name, lead));
  addEventListener("offline", () => {
    line?.abort();
    report("offline");
  });
  addEventListener("online", () => {
    failures = 0;
    wake?.();
  });
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  document.addEventListener("visibilitychange", () => document.hidden || wake?.());
};
