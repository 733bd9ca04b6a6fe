// Dark or light: as it was left, dark at first.

import { byId } from "./element.js";
import { flush, recall, remember } from "./preferences.js";

export function startTheme() {
  const root = document.documentElement;
  const show = (theme) => {
    root.dataset.theme = theme;
  };
  show(recall("theme") === "light" ? "light" : "dark");
  byId("theme")?.addEventListener("click", () => {
    const theme = root.dataset.theme === "light" ? "dark" : "light";
    remember("theme", theme);
    flush(); // the next page is made in these colours
    show(theme);
  });
}
