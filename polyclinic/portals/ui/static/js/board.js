// The desk's board: "/" goes to the search, and waits grow by the minute without asking the server.
const MINUTE = 60_000;

const grow = () => {
  for (const cell of document.querySelectorAll("[data-since]")) {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(cell.dataset.since)) / MINUTE));
    const meter = cell.querySelector("meter");
    const words = cell.querySelector("[data-minutes]");
    if (meter) meter.value = Math.min(minutes, 60);
    if (words && words.textContent !== String(minutes)) words.textContent = String(minutes);
  }
};

export const watch = () => {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    document.querySelector("[data-board-search]")?.focus();
  });
  setInterval(grow, 15_000);
};
