// Loads what the page marks as needed. Pages without live parts load no live code.
import { watch as forms } from "./forms.js";

forms();
if (document.querySelector("[data-session]")) {
  import("./session.js").then(({ watch }) => watch());
  import("./drafts.js").then(({ watch }) => watch());
} else import("./drafts.js").then(({ unsend }) => unsend());
if (document.querySelector("[data-passkey], [data-print]")) import("./passkeys.js").then(({ watch }) => watch());
if (document.querySelector("[data-copy]")) import("./copy.js").then(({ watch }) => watch());
if (document.querySelector("[data-autosave]")) import("./autosave.js").then(({ watch }) => watch());
if (document.querySelector("[data-suggest], [data-preview]")) import("./consult.js").then(({ watch }) => watch());
if (document.querySelector("[data-hold]")) import("./countdown.js").then(({ hold }) => hold());
if (document.querySelector("[data-glass]")) import("./countdown.js").then(({ glass }) => glass());
if (document.querySelector("[data-ticket]")) import("./waiting.js").then(({ ticket }) => ticket());
if (document.querySelector("[data-hall]")) import("./waiting.js").then(({ hall }) => hall());
if (document.querySelector("[data-position], [data-locate]")) import("./position.js").then(({ watch }) => watch());
if (document.querySelector("[data-board]")) import("./board.js").then(({ watch }) => watch());
if (document.querySelector("[data-live], [data-live-availability], [data-live-watch]")) {
  Promise.all([import("./rows.js"), import("./toast.js"), import("./live.js"), import("./critical.js")]).then(([rows, toast, live, critical]) => {
    rows.watch();
    toast.watch();
    critical.watch();
    live.start();
  });
}
