// Theme and spacing. A classic script in the head: it runs before the first paint, so nothing flashes.
(() => {
  "use strict";
  const root = document.documentElement;
  const names = ["theme", "density"];
  /** What the page comes with when nothing is chosen: staff pages are compact. @type {Record<string, string>} */
  const usual = { theme: "", density: root.dataset.density ?? "comfortable" };

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
    const value = chosen(name) || usual[name];
    if (value) root.dataset[name] = value;
    else delete root.dataset[name];
  };

  // A page that fixes its own look (the gallery) is left alone.
  const fixed = "lookFixed" in root.dataset;
  if (!fixed) names.forEach(apply);

  document.addEventListener("DOMContentLoaded", () => {
    for (const input of document.querySelectorAll("input[data-pref]")) {
      const name = input.dataset.pref;
      input.checked = input.value === (chosen(name) || usual[name]);
      input.addEventListener("change", () => {
        try {
          if (input.value) localStorage.setItem(`polyclinic.${name}`, input.value);
          else localStorage.removeItem(`polyclinic.${name}`);
        } catch {
          // Storage barred: the choice holds for this page only.
          usual[name] = input.value;
        }
        apply(name);
      });
    }
  });
  addEventListener("storage", () => fixed || names.forEach(apply));
})();
