// What was typed outlives a lost session, locked with a key that the server gives to the same person only: whoever signs
// in next at this desk can neither see nor read it. Gone at sign-out, once sent, and after twelve hours.
const PREFIX = "polyclinic.kept.";
const KEEP = 12 * 3600 * 1000;
const PAUSE = 300;

const account = document.querySelector("[data-session]")?.dataset.session ?? "";
/** @type {Promise<CryptoKey> | null} */
let key = null;
/** @type {Map<HTMLFormElement, number>} forms with changes that are not stored yet */
const waiting = new Map();

const stored = () => Object.keys(sessionStorage).filter((name) => name.startsWith(PREFIX));
const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
const text = (array) => btoa(String.fromCharCode(...array));

const getKey = () =>
  (key ??= (async () => {
    const answer = await fetch("/account/session", {
      cache: "no-store", headers: { Accept: "application/json", "X-Requested-With": "live" },
    });
    const { draftKey } = await answer.json();
    return crypto.subtle.importKey("raw", bytes(draftKey), "AES-GCM", false, ["encrypt", "decrypt"]);
  })());

const lock = async (value) => {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = new TextEncoder().encode(JSON.stringify(value));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await getKey(), data);
  return `${text(iv)}.${text(new Uint8Array(sealed))}`;
};

const unlock = async (sealed) => {
  const [iv, data] = sealed.split(".").map(bytes);
  const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await getKey(), data);
  return JSON.parse(new TextDecoder().decode(opened));
};

/** Fields a person fills in. Passwords and hidden values are never kept. @param {HTMLFormElement} form */
const fields = (form) =>
  [...form.elements].filter(
    (one) => one.name && !["hidden", "password", "file", "submit", "button", "fieldset"].includes(one.type),
  );

const values = (form) =>
  fields(form)
    .filter((one) => !["radio", "checkbox"].includes(one.type) || one.checked)
    .map((one) => [one.name, one.value]);

/** A form's values as what was typed into it is held against (`keptBase`). @param {HTMLFormElement} form */
export const snapshot = (form) => JSON.stringify(values(form));

const isEmpty = (form) => fields(form).every((one) => ["radio", "checkbox"].includes(one.type) || !one.value);

// Not form.action: in a form with a field of that name it is the field.
const target = (form) => new URL(form.getAttribute("action") || location.href, location.href).pathname;

const nameOf = (form) => {
  const same = [...document.querySelectorAll("form[method=post]")].filter((one) => target(one) === target(form));
  return `${PREFIX}${account}.${location.pathname}.${target(form)}.${same.indexOf(form)}`;
};

const put = (form, kept) => {
  for (const one of fields(form)) {
    const mine = kept.filter(([name]) => name === one.name).map(([, value]) => value);
    if (["radio", "checkbox"].includes(one.type)) one.checked = mine.includes(one.value);
    else if (mine.length) one.value = mine[0];
  }
  form.dispatchEvent(new Event("draft:restored", { bubbles: true }));
};

const store = async (form) => {
  clearTimeout(waiting.get(form));
  waiting.delete(form);
  if ("sent" in form.dataset) return;
  sessionStorage.setItem(nameOf(form), await lock({ at: Date.now(), base: form.keptBase, values: values(form) }));
};

/** Store at once what waits to be stored. */
export const keepNow = () => Promise.allSettled([...waiting.keys()].map(store));

const restore = async (form) => {
  const name = nameOf(form);
  const sealed = sessionStorage.getItem(name);
  if (!sealed) return;
  try {
    const kept = await unlock(sealed);
    // Drawn from other values than then: what was typed would overwrite what somebody else has changed since. An empty
    // form has nothing to overwrite.
    const safe = kept.base === form.keptBase || isEmpty(form);
    if (Date.now() - kept.at < KEEP && safe) put(form, kept.values);
    else sessionStorage.removeItem(name);
  } catch {
    sessionStorage.removeItem(name); // locked with another key: not this person's any more
  }
};

/** On a page nobody is signed in to: what was sent without a session did not arrive. */
export const unsend = () => {
  try {
    for (const name of stored()) {
      if (!name.endsWith(".sent")) continue;
      sessionStorage.setItem(name.slice(0, -".sent".length), sessionStorage.getItem(name));
      sessionStorage.removeItem(name);
    }
  } catch {
    // Storage barred by the browser.
  }
};

const watchForm = (form) => {
  form.keptBase = JSON.stringify(values(form));
  restore(form);
  form.addEventListener("input", () => {
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(store, PAUSE, form));
  });
  form.addEventListener("submit", () => {
    clearTimeout(waiting.get(form));
    waiting.delete(form);
    const name = nameOf(form);
    const sealed = sessionStorage.getItem(name);
    if (sealed) sessionStorage.setItem(`${name}.sent`, sealed);
    sessionStorage.removeItem(name);
  });
};

export const watch = () => {
  // Without a secure context there is no cryptography, and then nothing is kept.
  if (!crypto.subtle) return;
  try {
    // Sent, and answered by the question who it is: it did not arrive, and the same person comes back to it.
    if (document.querySelector("[data-unsent]")) unsend();
    for (const name of stored()) {
      // Sent and answered by a page of this person's: it arrived. Of another person: not theirs to have here.
      if (name.endsWith(".sent") || !name.startsWith(`${PREFIX}${account}.`)) sessionStorage.removeItem(name);
    }
    for (const form of document.querySelectorAll("main form[method=post]:not([data-no-draft])")) {
      if (fields(form).length) watchForm(form);
    }
    document.addEventListener("submit", (event) => {
      if (target(event.target) === "/sign-out") stored().forEach((name) => sessionStorage.removeItem(name));
    });
  } catch {
    // Storage barred by the browser: no drafts, nothing else changes.
  }
};
