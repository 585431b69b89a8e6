// A secret shown once is copied with one press, or selected to be copied by hand.
import { announce } from "./announce.js";

/** @param {MouseEvent} event */
const copy = async ({ currentTarget: button }) => {
  const source = document.getElementById(button.dataset.copy);
  let said = button.dataset.wordsDone;
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    said = button.dataset.wordsSelect;
  }
  button.querySelector("span").textContent = said;
  announce(said);
};

export const watch = () => {
  for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", copy);
};
