// Words come from the server, translated, as data attributes; scripts hold none of their own.

/** Fill {name} places of a sentence. @param {string} sentence @param {Record<string, unknown>} values @returns {string} */
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));

/** A sentence of the page, `data-words-<name>` on body. @param {string} name @param {Record<string, unknown>} [values] */
export const word = (name, values = {}) => {
  const key = "words" + name.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
  return fill(document.body.dataset[key] ?? "", values);
};

/** hh:mm on the 24-hour clock of this device. @param {number} at milliseconds @returns {string} */
export const clock = (at) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
