// Waiting to be called: the screen in the hall, and the ticket in the hand.
import { announce } from "./announce.js";
import { allow, chime } from "./sound.js";

// A hall's screen: each new call rings and is spoken, and the screen stays awake. Sound begins with a touch.
/** @returns {Map<string, HTMLElement>} the calls on the screen, by token and how often it was called */
const calls = () =>
  new Map([...document.querySelectorAll("[data-call]")].map((call) => [call.dataset.call, /** @type {HTMLElement} */ (call)]));

let known = new Set();
let awake = false;

const speak = (/** @type {string} */ text) => {
  if (!("speechSynthesis" in window)) return;
  const said = new SpeechSynthesisUtterance(text);
  said.lang = document.documentElement.lang;
  said.rate = 0.9;
  speechSynthesis.speak(said);
};

const look = () => {
  const now = calls();
  const fresh = [...now].filter(([key]) => !known.has(key));
  known = new Set(now.keys());
  if (!awake || !fresh.length) return;
  chime();
  for (const [, call] of fresh) speak(call.dataset.words ?? "");
};

const stayAwake = () => navigator.wakeLock?.request("screen").catch(() => undefined);

export const hall = () => {
  known = new Set(calls().keys());
  const start = document.querySelector("[data-hall-start]");
  if (start) start.hidden = false;
  start?.addEventListener("click", async () => {
    await allow();
    awake = true;
    start.hidden = true;
    chime();
    stayAwake();
    document.documentElement.requestFullscreen?.().catch(() => undefined);
  });
  document.addEventListener("visibilitychange", () => !document.hidden && awake && stayAwake());
  new MutationObserver(look).observe(document.getElementById("main"), { childList: true, subtree: true });
};

// A patient's ticket: when the turn is near or there, the tab says so; with leave, it also rings and shakes the phone.
const title = document.title;
let before = "";

const attract = () => {
  chime();
  navigator.vibrate?.([300, 150, 300]);
};

const follow = () => {
  const state = document.querySelector("[data-ticket]");
  if (!state) return;
  const { turn = "", words = "" } = state.dataset;
  document.title = turn === "called" || turn === "near" ? `● ${words} – ${title}` : title;
  if (turn === before) return;
  before = turn;
  if (turn !== "called" && turn !== "near") return;
  announce(words, turn === "called" ? "assertive" : "polite");
  attract();
};

export const ticket = () => {
  const wish = document.querySelector("[data-ticket-bell]");
  if (wish) {
    wish.hidden = false;
    wish.addEventListener("click", async () => {
      await allow();
      chime();
      wish.setAttribute("aria-pressed", "true");
      // A phone that sleeps rings nobody.
      navigator.wakeLock?.request("screen").catch(() => undefined);
    });
  }
  before = document.querySelector("[data-ticket]")?.dataset.turn ?? "";
  follow();
  new MutationObserver(follow).observe(document.getElementById("main"), { childList: true, subtree: true });
};
