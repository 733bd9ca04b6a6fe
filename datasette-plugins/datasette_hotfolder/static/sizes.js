// How large pictures are: the rule that job files follow, from resolution and ratio to pixels and back (pure).

export const RESOLUTIONS = [512, 1024];
export const RATIOS = ["1:1", "3:2", "2:3", "16:9", "9:16", "4:5"];
export const SIZE_PARAMS = ["size", "width", "height", "resolution", "aspectRatio"];
export const USUAL_SIZE = { resolution: 1024, ratio: "1:1" };

const RATIO = /^\s*(\d{1,4}):(\d{1,4})\s*$/;
const PIXELS = /^\s*(\d{1,6})\s*[*x×]\s*(\d{1,6})\s*$/i;

/** Width and height as they will run: the short edge rounded down, then both raised to the multiple; null if it makes no sense. */
export function pixelsOf({ resolution, ratio }, multiple = 1) {
  const edges = readPair(RATIO, ratio);
  if (!edges || !(resolution > 0)) return null;
  const [wide, high] = edges;
  const short = Math.floor((resolution * Math.min(wide, high)) / Math.max(wide, high));
  const [width, height] = wide >= high ? [resolution, short] : [short, resolution];
  const raised = (edge) => Math.ceil(edge / multiple) * multiple;
  return { width: raised(width), height: raised(height) };
}

/** The resolution and ratio that give these pixels, by a usual ratio where one does. */
export function sizeFromPixels(width, height, multiple = 1) {
  const resolution = Math.max(width, height);
  const gives = (ratio) => {
    const found = pixelsOf({ resolution, ratio }, multiple);
    return found.width === width && found.height === height;
  };
  const divisor = greatestDivisor(width, height);
  return { resolution, ratio: RATIOS.find(gives) ?? `${width / divisor}:${height / divisor}` };
}

/** The size that params ask for, in whichever of the three forms; null when they say nothing of it. */
export function sizeFromParams({ size, width, height, resolution, aspectRatio }, multiple = 1) {
  const pixels = size ? readPair(PIXELS, size) : width && height ? [width, height] : null;
  if (pixels) return sizeFromPixels(...pixels, multiple);
  if (!resolution && !aspectRatio) return null;
  return { resolution: Number(resolution ?? USUAL_SIZE.resolution), ratio: aspectRatio ?? USUAL_SIZE.ratio };
}

/** "3:2" is "2:3". */
export function turned(ratio) {
  const edges = readPair(RATIO, ratio);
  return edges ? `${edges[1]}:${edges[0]}` : ratio;
}

function readPair(pattern, text) {
  const found = pattern.exec(String(text));
  const pair = found && [Number(found[1]), Number(found[2])];
  return pair && pair[0] > 0 && pair[1] > 0 ? pair : null;
}

const greatestDivisor = (one, other) => (other ? greatestDivisor(other, one % other) : one);
