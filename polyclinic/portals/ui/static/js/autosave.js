// Keeps what is typed into a note on the server, for this person alone, a second after each pause. Refused (412) when
// another window of theirs has kept a later text: then nothing is overwritten and both are shown side by side.
import { snapshot } from "./drafts.js";
import { clock, fill } from "./words.js";

const PAUSE = 1000;
const AGAIN = 5000;

/** Show the two wordings below the form. @param {HTMLFormElement} form */
const beside = async (form) => {
  const answer = await fetch(form.dataset.beside, { cache: "no-store", headers: { "X-Requested-With": "live", Accept: "text/html" } });
  if (!answer.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  form.querySelector("[data-beside-here]").replaceChildren(holder.content);
};

/** @param {HTMLFormElement} form */
const watchForm = (form) => {
  let timer = 0;
  let running = false;
  let stopped = false;
  let shown = false;
  const say = (name) => {
    const text = fill(form.dataset[`words${name}`], { time: clock(Date.now()) });
    const state = form.querySelector("[data-autosave-state]");
    if (state.textContent !== text) state.textContent = text;
  };
  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(keep, pause);
  };
  const showBoth = () => {
    if (!shown) beside(form).catch(() => {});
    shown = true;
  };
  const use = async (answer, base) => {
    if (answer.status === 412) {
      stopped = true;
      say("Other");
      return showBoth();
    }
    if (answer.status === 401 || answer.status === 403) return say("Out");
    if (!answer.ok) return answer.status >= 500 ? (say("Offline"), later(AGAIN)) : undefined;
    const { version, stale } = await answer.json();
    form.elements.draft.value = String(version);
    // What the browser keeps of this form now starts from what the server has.
    form.keptBase = base;
    say(stale ? "Stale" : "Kept");
    return stale ? showBoth() : undefined;
  };
  const keep = async () => {
    if (stopped || "sent" in form.dataset) return;
    if (running) return later(PAUSE);
    running = true;
    const base = snapshot(form);
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true,
        headers: { Accept: "application/json", "X-Requested-With": "live" },
      });
      await use(answer, base);
    } catch {
      say("Offline");
      later(AGAIN);
    } finally {
      running = false;
    }
  };
  form.addEventListener("input", () => later(PAUSE));
  form.addEventListener("submit", () => clearTimeout(timer));
  document.addEventListener("visibilitychange", () => document.hidden && timer && keep());
};

export const watch = () => document.querySelectorAll("form[data-autosave]").forEach(watchForm);
