// What the lineage page says.

import { formatCount } from "./format.js";

const MODES = { "text-to-image": "text to image", "image-to-image": "image to image", "text-to-video": "text to video", "image-to-video": "image to video" };
const ENDPOINTS = [[/(^|[.-])upscale/, "upscale"], [/style-transfer/, "style transfer"]];

export const LOADING = "Loading …";
export const FAILED = "The relatives could not be loaded. Reload the page to try again.";
export const CUT = "There are more: six steps in each direction are shown, and at most 200 pictures.";
export const EMPTY = "This picture has no relatives";
export const EMPTY_MORE = "It was made from no other picture, and nothing was made from it yet. Drag it onto “References” in the library to begin.";
export const UNNAMED = "a picture";
export const GONE = { deleted: "deleted", outside: "not in the library" };
export const countWords = (count) => formatCount(count, "relative");

/** What a step from the picture is called. */
export function levelWords(level) {
  if (level === 0) return "This picture";
  if (level === -1) return "Made from";
  if (level === 1) return "Made from this";
  return level < 0 ? `${-level} steps before` : `${level} steps after`;
}

/** How a picture came to be: "upscale", "image to image", "import". */
export function modeWords({ mode, endpointKey, state }) {
  if (GONE[state]) return GONE[state];
  if (!mode) return "import";
  return ENDPOINTS.find(([pattern]) => pattern.test(endpointKey ?? ""))?.[1] ?? MODES[mode] ?? mode;
}

/** "Lighthouse, upscale, used as style". */
export const cardWords = (name, mode, roles) => [name, mode, roles && `used as ${roles}`].filter(Boolean).join(", ");
