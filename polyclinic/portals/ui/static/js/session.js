// The end of a session left alone: a warning a minute before, and off the screen when it is over. The server knows how
// long is left; other tabs and devices may have used the session meanwhile.
import { announce } from "./announce.js";
import { keepNow } from "./drafts.js";
import { fill } from "./words.js";

const WARN = 60;
const FIRST = 10_000;
const AGAIN = 10_000;
// A timer may be late by this much after the machine slept; looking at the page asks anew in any case.
const LONGEST = 10 * 60_000;

const dialog = document.querySelector("[data-session]");
let used = Date.now();
let ends = Infinity;
let timer = 0;
let ticking = 0;
let leaving = false;

/** Ask how long is left, and say how long ago this page was last touched. @param {number | null} idle seconds */
const ask = async (idle) => {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const options = { cache: "no-store", headers: { Accept: "application/json", "X-Requested-With": "live" } };
  if (idle !== null && token) {
    options.method = "POST";
    options.body = new URLSearchParams({ csrfmiddlewaretoken: token, idle: String(Math.max(0, Math.floor(idle))) });
    const answer = await fetch("/account/session", options);
    // A sign-in in another tab has made our form's token stale; asking needs none.
    if (answer.status !== 403) return answer;
    delete options.method;
    delete options.body;
  }
  return fetch("/account/session", options);
};

const leave = async () => {
  if (leaving) return;
  leaving = true;
  await keepNow();
  // What was answered to a form has no address of its own to come back to.
  const back = document.body.hasAttribute("data-live") ? location.pathname + location.search : "/home";
  location.replace(`/sign-in?why=idle&next=${encodeURIComponent(back)}`);
};

const tick = () => {
  const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
  dialog.querySelector("[data-session-text]").textContent = fill(dialog.dataset.wordsLeft, { seconds: left });
  if (!left) check();
};

/** @param {number} left seconds */
const show = (left) => {
  ends = Date.now() + left * 1000;
  clearTimeout(timer);
  if (left > WARN) {
    clearInterval(ticking);
    ticking = 0;
    if (dialog.open) dialog.close();
    timer = setTimeout(check, Math.min((left - WARN) * 1000, LONGEST));
    return;
  }
  if (!ticking) ticking = setInterval(tick, 1000);
  tick();
  if (!dialog.open) {
    dialog.showModal();
    announce(dialog.querySelector("h2").textContent, "assertive");
  }
  // Used in another tab: then the warning goes by itself.
  timer = setTimeout(check, AGAIN);
};

let asking = false;
const check = async () => {
  if (asking || leaving) return;
  asking = true;
  try {
    // While the warning stands, moving the mouse does not answer it.
    const answer = await ask(dialog.open ? null : (Date.now() - used) / 1000);
    if (answer.status === 401) return leave();
    const { secondsLeft } = answer.ok ? await answer.json() : { secondsLeft: WARN + 30 };
    if (secondsLeft <= 0) return leave();
    show(secondsLeft);
  } catch {
    timer = setTimeout(check, AGAIN); // no line: the session may end without us, and the next look will say so
  } finally {
    asking = false;
  }
};

const stay = async () => {
  used = Date.now();
  try {
    const answer = await ask(0);
    if (answer.ok) return show((await answer.json()).secondsLeft);
    return leave();
  } catch {
    timer = setTimeout(check, 1000);
  }
};

export const watch = () => {
  for (const kind of ["keydown", "pointerdown", "input", "scroll"]) {
    addEventListener(kind, () => dialog.open || (used = Date.now()), { passive: true, capture: true });
  }
  dialog.querySelector("form").addEventListener("submit", stay);
  dialog.addEventListener("cancel", stay);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && check());
  // Ended elsewhere: nothing of this person stays on the screen.
  document.addEventListener("live:signed-out", check);
  timer = setTimeout(check, FIRST);
};
