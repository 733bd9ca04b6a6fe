// Where a step leads from a place (pure).

/** The place after a step by one or by a row of that many; the same when there is none. */
export function placeAfter(place, step, last) {
  const row = (each) => Math.floor(each / Math.abs(step));
  if (place + step < 0) return place;
  if (place + step <= last) return place + step;
  return row(place) < row(last) ? last : place; // down from above a row that is not full
}
