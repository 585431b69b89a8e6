// Where this device is: sent while a crew's page is open, or written into a form when somebody asks.
import { announce } from "./announce.js";

const APART = 15_000;

const write = (form, { latitude, longitude }) => {
  form.elements.latitude.value = latitude.toFixed(5);
  form.elements.longitude.value = longitude.toFixed(5);
};

/** Send it every so often. @param {HTMLFormElement} form */
const follow = (form) => {
  let sent = 0;
  const say = (words) => {
    form.nextElementSibling.textContent = words;
  };
  navigator.geolocation.watchPosition(
    async ({ coords }) => {
      if (Date.now() - sent < APART) return;
      sent = Date.now();
      write(form, coords);
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
      say(answer?.ok ? form.dataset.wordsSent : form.dataset.wordsFailed);
    },
    () => say(form.dataset.wordsNone),
  );
};

export const watch = () => {
  document.querySelectorAll("[data-position]").forEach(follow);
  for (const button of document.querySelectorAll("[data-locate]")) {
    button.hidden = false;
    button.addEventListener("click", () =>
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => {
          write(button.form, coords);
          announce(button.dataset.wordsDone);
        },
        () => announce(button.dataset.wordsNone, "assertive"),
      ),
    );
  }
};
