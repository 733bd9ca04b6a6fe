// The page that asks for pictures, without the light table.

import { byId } from "./element.js";
import { startGenerate } from "./generate.js";
import { startPage } from "./page.js";

const { data, api, stream, statusBar } = startPage();
const generate = startGenerate({ data, api, stream, statusBar, can: data.can }, byId("generate"));

generate.focusPrompt();
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  event.preventDefault();
  generate.focusPrompt();
});
