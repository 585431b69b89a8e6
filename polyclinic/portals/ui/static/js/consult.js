// The doctor's page: a search answers while one types, a line of a prescription shows how it reads. What is searched
// for travels in a body, never in an address. Without this the same forms bring whole pages.
const PAUSE = 200;

/** @param {string} url @param {HTMLFormElement} form @returns {Promise<string|null>} */
const ask = async (url, form) => {
  try {
    const answer = await fetch(url, {
      method: "POST", body: new URLSearchParams(new FormData(form)), cache: "no-store",
      headers: { "X-Requested-With": "live", Accept: "text/html" },
    });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
};

/** Ask a while after the last key; an overtaken answer is dropped. @param {HTMLFormElement} form */
const later = (form, url, here) => {
  let timer = 0;
  let turn = 0;
  const now = async () => {
    clearTimeout(timer);
    const mine = ++turn;
    const html = await ask(url, form);
    if (html !== null && mine === turn) here.innerHTML = html;
  };
  return {
    now,
    soon: () => {
      clearTimeout(timer);
      timer = setTimeout(now, PAUSE);
    },
  };
};

/** @param {HTMLFormElement} form */
const suggest = (form) => {
  const here = document.querySelector(form.dataset.suggest);
  const { now, soon } = later(form, form.action, here);
  form.addEventListener("input", soon);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    delete form.dataset.sent;
    now();
  });
  // Typed before this module was there.
  if (form.querySelector(".input")?.value) now();
};

/** @param {HTMLFormElement} form */
const preview = (form) => form.addEventListener("input", later(form, form.dataset.preview, form.querySelector("[data-preview-here]")).soon);

export const watch = () => {
  document.querySelectorAll("form[data-suggest]").forEach(suggest);
  document.querySelectorAll("form[data-preview]").forEach(preview);
};
