// Countdowns: of a time that is kept for somebody, and of a record opened in an emergency.
import { announce } from "./announce.js";
import { fill } from "./words.js";

// The countdown of a held time, and "Keep it longer" without leaving the page.
/** @param {HTMLElement} box */
const tick = (box) => {
  const left = Math.max(0, Math.round((Date.parse(box.dataset.holdUntil) - Date.now()) / 1000));
  const text = box.querySelector("[data-hold-text]");
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  text.textContent = left ? fill(box.dataset.wordsLeft, { time }) : box.dataset.wordsGone;
  if (left && left <= 60 && !("soon" in box.dataset)) {
    box.dataset.soon = "";
    announce(box.dataset.wordsSoon, "assertive");
  } else if (left > 60) delete box.dataset.soon;
  if (!left && !("gone" in box.dataset)) {
    box.dataset.gone = "";
    announce(box.dataset.wordsGone, "assertive");
  } else if (left) delete box.dataset.gone;
};

/** @param {SubmitEvent} event @param {HTMLElement} box */
const extend = async (event, box) => {
  const form = event.target;
  if (!form.querySelector("[data-hold-extend]")) return;
  event.preventDefault();
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-hold]");
    // The page no longer shows a hold: let it say why.
    if (!answer.ok || !fresh) return location.reload();
    box.dataset.holdUntil = fresh.dataset.holdUntil;
    tick(box);
    announce(box.querySelector("[data-hold-text]").textContent);
  } catch {
    form.submit();
  } finally {
    delete form.dataset.sent;
    form.querySelector("button")?.removeAttribute("aria-busy");
  }
};

export const hold = () => {
  for (const box of document.querySelectorAll("[data-hold]")) {
    tick(box);
    setInterval(tick, 1000, box);
    box.addEventListener("submit", (event) => extend(event, box));
  }
};

// The countdown of a record opened in an emergency. When it ends, what is on the screen goes, with or without a line.
/** @param {HTMLElement} box */
const pass = (box) => {
  const left = Math.max(0, Math.ceil((Date.parse(box.dataset.glassUntil) - Date.now()) / 1000));
  const time = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  box.querySelector("[data-glass-text]").textContent = left ? fill(box.dataset.wordsLeft, { time }) : box.dataset.wordsGone;
  if (left && left <= 300 && !("soon" in box.dataset)) {
    box.dataset.soon = "";
    announce(box.dataset.wordsSoon, "assertive");
  }
  if (left) return;
  announce(box.dataset.wordsGone, "assertive");
  box.closest("[data-live-region]")?.replaceChildren(box);
  // The server says the rest; it counts by its own clock.
  setTimeout(() => location.reload(), 1500);
};

export const glass = () => {
  // Looked for each time: the banner is replaced with its region.
  const timer = setInterval(() => {
    const box = document.querySelector("[data-glass]:not([data-over])");
    if (!box) return;
    pass(box);
    if (Date.parse(box.dataset.glassUntil) <= Date.now()) {
      box.dataset.over = "";
      clearInterval(timer);
    }
  }, 1000);
  const box = document.querySelector("[data-glass]");
  if (box) pass(box);
};
