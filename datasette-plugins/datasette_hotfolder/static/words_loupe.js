// What the loupe says.

import { formatNumber } from "./format.js";

const percent = (level) => `${formatNumber(Math.round(level * 100))} %`;

/** "Fit 23 %" or "100 %". */
export const ZOOM_WORDS = (level, fits) => (fits ? `Fit ${percent(level)}` : percent(level));

/** "12 of 342"; nothing for a picture without a place. */
export function PLACE_WORDS(place, total, isBounded) {
  return place < 0 ? "" : `${formatNumber(place + 1)} of ${formatNumber(total)}${isBounded ? "+" : ""}`;
}

/** Why no original is seen. */
export function FAILED_WORDS({ mimeType }) {
  const kind = /tiff|heic|heif/.exec(mimeType ?? "")?.[0];
  return kind ? `This browser does not show ${kind.toUpperCase()}: this is the thumbnail.` : "This original could not be shown.";
}

export const NOTHING_TO_COMPARE = "There is no other picture to compare with.";
export const COMPARES_AT_MOST = (count) => `${formatNumber(count)} pictures are selected: the first four are compared.`;
export const COMPARE_PLACE = (place, count) => `Comparing ${place + 1} of ${count}`;

export const NOT_MADE_FROM_ANOTHER = "This picture was not made from another one.";
export const BEFORE = "Before";
export const AFTER = "After";
export const BEFORE_FROM_THUMBNAIL = "Before (its thumbnail: the source is not in the library)";
export const DIVIDER = "Divider between before and after";

export const NO_PICTURE_YET = "Not loaded yet";
export const FLASHED = { selected: "Picked", rejected: "Rejected", none: "Unmarked" };
export const LABELS = { red: "Red", yellow: "Yellow", green: "Green", blue: "Blue", purple: "Purple", none: "No label" };
