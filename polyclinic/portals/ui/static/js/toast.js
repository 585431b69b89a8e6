// Short messages in a corner. They repeat what the page itself shows, so missing one loses nothing.
import { announce } from "./announce.js";
import { fill, word } from "./words.js";

const STAY = 8000;
const MOST = 3;

/** @param {{text: string, href?: string, link?: string}} what */
export const toast = ({ text, href, link }) => {
  const region = document.querySelector("[data-toasts]");
  if (!region || !text) return;
  const box = document.createElement("div");
  box.className = "toast";
  const words = document.createElement("p");
  words.className = "grow";
  words.textContent = text;
  if (href && link) {
    const anchor = document.createElement("a");
    anchor.href = href;
    anchor.textContent = link;
    words.append(" ", anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button ghost";
  close.textContent = word("dismiss");
  close.addEventListener("click", () => box.remove());
  box.append(words, close);
  region.append(box);
  while (region.children.length > MOST) region.firstElementChild?.remove();
  announce(text);
  // While someone reads or has focus in it, it stays.
  const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, STAY) : box.remove());
  setTimeout(leave, STAY);
};

/** Toasts a page asks for: elements with data-live-toast="type type", data-words, and data-href with data-link. */
export const watch = () => {
  document.addEventListener("live:event", ({ detail }) => {
    for (const wish of document.querySelectorAll("[data-live-toast]")) {
      if (!wish.dataset.liveToast.split(" ").includes(detail.type)) continue;
      const values = { ...detail };
      toast({
        text: fill(wish.dataset.words ?? "", values),
        href: wish.dataset.href && fill(wish.dataset.href, values),
        link: wish.dataset.link,
      });
    }
  });
};
