// A critical result that calls this very person: it interrupts, is said at once, and stays until somebody has acted.
import { announce } from "./announce.js";
import { fill } from "./words.js";

/** @param {HTMLElement} wish @param {Record<string, unknown>} event */
const show = (wish, event) => {
  const id = `critical-${event.alertId}`;
  if (document.getElementById(id)) return;
  const box = document.createElement("div");
  box.id = id;
  box.className = "note bad";
  const text = document.createElement("strong");
  text.className = "grow";
  text.textContent = wish.dataset.words ?? "";
  const link = document.createElement("a");
  link.className = "button danger";
  link.href = fill("/lab/critical/{alertId}", event);
  link.textContent = wish.dataset.link ?? "";
  box.append(text, link);
  document.getElementById("main")?.prepend(box);
  announce(text.textContent, "assertive");
};

export const watch = () => {
  const wish = document.querySelector("[data-critical]");
  const me = document.body.dataset.liveAs;
  if (!wish || !me) return;
  document.addEventListener("live:event", ({ detail }) => {
    if (detail.type === "lab.critical_closed") document.getElementById(`critical-${detail.alertId}`)?.remove();
    else if (detail.type === "lab.critical_result" && (detail.called ?? []).includes(me)) show(wish, detail);
  });
};
