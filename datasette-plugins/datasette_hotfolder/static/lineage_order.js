// Pictures of a lineage in columns, so that few lines cross (pure).

/** Columns from left to right: {level, pictures}; those linked to neighbours further up stand further up. */
export function columnsOf({ pictures, links }) {
  const levels = [...new Set(pictures.map(({ level }) => level))].sort((one, other) => one - other);
  const columns = new Map(levels.map((level) => [level, pictures.filter((picture) => picture.level === level)]));
  const places = new Map();
  for (const level of levels.toSorted((one, other) => Math.abs(one) - Math.abs(other))) {
    const sorted = sortByNeighbours(columns.get(level), places, links);
    columns.set(level, sorted);
    sorted.forEach(({ key }, place) => places.set(key, place / Math.max(1, sorted.length - 1)));
  }
  return levels.map((level) => ({ level, pictures: columns.get(level) }));
}

function sortByNeighbours(pictures, places, links) {
  const weights = new Map(pictures.map(({ key }, index) => [key, [meanPlace(key, places, links), index]]));
  return pictures.toSorted((one, other) => {
    const [[mean, index], [otherMean, otherIndex]] = [weights.get(one.key), weights.get(other.key)];
    return mean - otherMean || index - otherIndex;
  });
}

/** The mean place of those next to it that have one already. */
function meanPlace(key, places, links) {
  const near = links.flatMap(({ source, target }) => (source === key ? [target] : target === key ? [source] : []));
  const known = near.map((each) => places.get(each)).filter((place) => place !== undefined);
  return known.length ? known.reduce((sum, place) => sum + place, 0) / known.length : 0.5;
}
