// Theme and spacing. A classic script in the head: it runs before the first paint, so nothing flashes.
(() => {
  "use strict";
  const root = document.documentElement;
  const names = ["theme", "density"];

  /** What was chosen, or "" (also when storage is barred). @param {string} name @returns {string} */
  const chosen = (name) => {
    try {
      return localStorage.getItem(`polyclinic.${name}`) ?? "";
    } catch {
      return "";
    }
  };

  /** @param {string} name */
  const apply = (name) => {
    const value = chosen(name);
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
  };

  // A page that fixes its own look (the gallery) is left alone.
  const fixed = names.some((name) => name in root.dataset);
  if (!fixed) names.forEach(apply);

  document.addEventListener("DOMContentLoaded", () => {
    for (const input of document.querySelectorAll("input[data-pref]")) {
      const name = input.dataset.pref;
      input.checked = input.value === chosen(name);
      input.addEventListener("change", () => {
        try {
          if (input.value) localStorage.setItem(`polyclinic.${name}`, input.value);
          else localStorage.removeItem(`polyclinic.${name}`);
        } catch {
          // Storage barred: the choice holds for this page only.
        }
        if (input.value) root.dataset[name] = input.value;
        else delete root.dataset[name];
      });
    }
  });
  addEventListener("storage", () => fixed || names.forEach(apply));
})();
