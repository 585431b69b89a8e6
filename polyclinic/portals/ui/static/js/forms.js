// Small helps for forms. Everything here may be missing and the forms still work.

const KEEP = 12 * 3600 * 1000;
const PREFIX = "polyclinic.draft.";

/** One click, one request. The button says it is busy; going back in history frees it again. */
const sendOnce = () => {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if ("sent" in form.dataset) return event.preventDefault();
    form.dataset.sent = "";
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      // Not its descendants: a button in a row may only name its form.
      [...form.elements].forEach((button) => button.removeAttribute("aria-busy"));
    }
  });
};

/** @param {HTMLFormElement} form */
const values = (form) =>
  [...new FormData(form)].filter(([name, value]) => {
    const input = form.elements.namedItem(name);
    const type = input instanceof HTMLInputElement ? input.type : "";
    return typeof value === "string" && type !== "password" && type !== "hidden";
  });

/** @param {HTMLFormElement} form @param {[string, string][]} kept */
const restore = (form, kept) => {
  for (const [name, value] of kept) {
    for (const input of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (input.type === "radio" || input.type === "checkbox") input.checked ||= input.value === value;
      else if (!input.value && input.type !== "password" && input.type !== "hidden") input.value = value;
    }
  }
};

const forget = (key) => sessionStorage.removeItem(PREFIX + key);

/**
 * Drafts of those who are not signed in yet. They end when a page says data-draft-done, once somebody is signed in (whose
 * drafts are locked, see drafts.js), or after twelve hours.
 */
const drafts = () => {
  try {
    if (document.querySelector("[data-session]")) {
      Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).forEach((key) => sessionStorage.removeItem(key));
      return;
    }
    document.addEventListener("submit", ({ target }) => {
      if (target.getAttribute("action") === "/sign-out") Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX)).forEach((key) => sessionStorage.removeItem(key));
    });
    document.querySelectorAll("[data-draft-done]").forEach((mark) => forget(mark.dataset.draftDone));
    for (const form of document.querySelectorAll("form[data-draft]")) {
      const key = form.dataset.draft;
      const kept = JSON.parse(sessionStorage.getItem(PREFIX + key) ?? "null");
      if (kept && Date.now() - kept.at < KEEP) restore(form, kept.values);
      form.addEventListener("input", () =>
        sessionStorage.setItem(PREFIX + key, JSON.stringify({ at: Date.now(), values: values(form) })),
      );
    }
  } catch {
    // Storage barred by the browser: no drafts, nothing else changes.
  }
};

const reveal = () => {
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const show = button.firstChild.textContent;
    button.addEventListener("click", () => {
      const input = document.getElementById(button.dataset.reveal);
      const hidden = input.type === "password";
      input.type = hidden ? "text" : "password";
      button.firstChild.textContent = hidden ? button.dataset.wordsHide : show;
      button.setAttribute("aria-pressed", String(hidden));
    });
  }
};

const menus = () => {
  const open = () => document.querySelectorAll("details[data-menu][open]");
  document.addEventListener("click", ({ target }) => open().forEach((menu) => menu.contains(target) || (menu.open = false)));
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const menu of open()) {
      const inside = menu.contains(document.activeElement);
      menu.open = false;
      if (inside) menu.querySelector("summary").focus();
    }
  });
};

export const watch = () => {
  document.querySelectorAll("[data-needs-js]").forEach((part) => (part.hidden = false));
  document.querySelector("[data-error-summary]")?.focus();
  sendOnce();
  drafts();
  reveal();
  menus();
  for (const opener of document.querySelectorAll("[data-open]")) {
    opener.addEventListener("click", () => document.getElementById(opener.dataset.open)?.showModal());
  }
};
