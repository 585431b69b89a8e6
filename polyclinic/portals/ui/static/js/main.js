// Loads what the page marks as needed. Pages without live parts load no live code.
import { watch as forms } from "./forms.js";

forms();
if (document.querySelector("[data-hold]")) import("./hold.js").then(({ watch }) => watch());
if (document.querySelector("[data-live], [data-live-availability]")) {
  Promise.all([import("./rows.js"), import("./toast.js"), import("./live.js")]).then(([rows, toast, live]) => {
    rows.watch();
    toast.watch();
    live.start();
  });
}
