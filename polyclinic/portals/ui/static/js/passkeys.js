// Passkeys: a question from the server, an answer from the browser, sent with the form like any other field.
import { announce } from "./announce.js";

/** @param {string} text @returns {ArrayBuffer} */
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0)).buffer;

/** @param {ArrayBuffer | null | undefined} buffer @returns {string | undefined} */
const text = (buffer) =>
  buffer
    ? btoa(String.fromCharCode(...new Uint8Array(buffer)))
        .replace(/\+/g, "-")
        .replace(/\//g, "_")
        .replace(/=+$/, "")
    : undefined;

const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

/** The server's question in the browser's own types. */
const read = (question) => ({
  ...question,
  challenge: bytes(question.challenge),
  ...(question.user && { user: { ...question.user, id: bytes(question.user.id) } }),
  ...(question.allowCredentials && { allowCredentials: named(question.allowCredentials) }),
  ...(question.excludeCredentials && { excludeCredentials: named(question.excludeCredentials) }),
});

/** The browser's answer as the server reads it. @param {PublicKeyCredential} made @returns {string} */
const written = ({ id, rawId, type, response }) =>
  JSON.stringify({
    id,
    rawId: text(rawId),
    type,
    clientExtensionResults: {},
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports?.(),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: text(response.userHandle),
    },
  });

/** @param {HTMLFormElement} form */
const ask = async (form) => {
  const answer = await fetch(form.dataset.passkey, {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": form.elements.namedItem("csrfmiddlewaretoken").value },
  });
  // Too late, or asked to confirm first: the server's own page says it better.
  if (!answer.ok || answer.redirected) return location.reload();
  const publicKey = read(await answer.json());
  const made = await ("passkeyNew" in form.dataset ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
  form.elements.namedItem("credential").value = written(made);
  form.submit();
};

/** @param {HTMLFormElement} form @param {string} sentence */
const say = (form, sentence) => {
  form.querySelector("[data-passkey-status]").textContent = sentence;
  announce(sentence);
};

/** @param {SubmitEvent} event */
const use = async (event) => {
  const form = event.target;
  event.preventDefault();
  if ("asking" in form.dataset) return;
  form.dataset.asking = "";
  try {
    if (!window.PublicKeyCredential) say(form, form.dataset.wordsUnknown);
    else await ask(form);
  } catch {
    // Cancelled by the person, timed out, or refused by the device: the browser does not say which, on purpose.
    say(form, form.dataset.wordsCancelled);
  } finally {
    delete form.dataset.sent;
    delete form.dataset.asking;
    form.querySelector("button").removeAttribute("aria-busy");
  }
};

export const watch = () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) form.addEventListener("submit", use);
  document.querySelector("[data-print]")?.addEventListener("click", () => print());
};
