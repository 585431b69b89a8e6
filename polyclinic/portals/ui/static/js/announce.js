// What a screen reader is told. A busy list must not talk without pause: polite sentences are merged over five seconds.
import { word } from "./words.js";

const PAUSE = 5000;
const MOST = 3;
/** @type {string[]} */
let waiting = [];
let last = -PAUSE;
let timer = 0;

/** @param {string} kind @param {string} text */
const say = (kind, text) => {
  const region = document.querySelector(`[data-announce="${kind}"]`);
  if (!region) return;
  // The same sentence twice is two facts; emptying first makes the second one heard.
  region.textContent = "";
  requestAnimationFrame(() => (region.textContent = text));
};

const flush = () => {
  timer = 0;
  last = performance.now();
  const said = waiting.slice(0, MOST);
  if (waiting.length > MOST) said.push(word("more", { count: waiting.length - MOST }));
  waiting = [];
  say("polite", said.join(". "));
};

/** @param {string} text @param {"polite" | "assertive"} [kind] */
export const announce = (text, kind = "polite") => {
  if (!text) return;
  if (kind === "assertive") return say(kind, text);
  if (!waiting.includes(text)) waiting.push(text);
  timer ||= setTimeout(flush, Math.max(0, PAUSE - (performance.now() - last)));
};
