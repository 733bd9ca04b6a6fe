// How far a job is: the progress of the API brought up to date by events, in words.

const SURE_S = 3;
const SURE_PART = 0.5;
const UNITS = [[3600, "h"], [60, "min"], [1, "s"]];

/** The progress after an event `generation.progress`; the picture at work is known by its position. Only the server tells what is left. */
export function advance(progress, { position, stage, currentStep, totalSteps }) {
  const totalImages = progress?.totalImages ?? 1;
  const currentImage = Math.max(progress?.currentImage ?? 1, Math.min((position ?? 0) + 1, totalImages));
  const fraction = totalSteps ? Math.min((currentStep ?? 0) / totalSteps, 1) : 0;
  const percentage = (100 * (currentImage - 1 + fraction)) / totalImages;
  return {
    ...progress,
    stage,
    currentStep,
    totalSteps,
    currentImage,
    totalImages,
    percentage: Math.max(percentage, progress?.percentage ?? 0), // a bar that goes back frightens
  };
}

/** A job as the server tells it; events may have brought its progress further already, and a bar does not go back. */
export function keepFurther(shown, told) {
  const isSameRun = shown?.jobId === told.jobId && shown.status === "running" && told.status === "running";
  const isFurther = isSameRun && (shown.progress?.percentage ?? 0) > (told.progress?.percentage ?? 0);
  if (!isFurther) return told;
  const { etaSeconds, etaRangeSeconds } = told.progress ?? {};
  return { ...told, progress: { ...shown.progress, etaSeconds, etaRangeSeconds } };
}

/** "sampling 3/4", or nothing. */
export function stageWords({ stage, currentStep, totalSteps }) {
  if (!stage) return "";
  return totalSteps ? `${stage} ${currentStep ?? 0}/${totalSteps}` : stage;
}

/** "picture 2 of 4" when there are several. */
export function imageWords({ currentImage, totalImages }) {
  return totalImages > 1 ? `picture ${Math.max(currentImage ?? 1, 1)} of ${totalImages}` : "";
}

/** "about 12 s left" where it is nearly sure, else "10 to 30 s left"; nothing while it is not known. Status files say the same. */
export function etaWords({ etaSeconds, etaRangeSeconds }) {
  if (etaSeconds === null || etaSeconds === undefined) return "";
  const [low, high] = etaRangeSeconds ?? [etaSeconds, etaSeconds];
  if (high - low <= Math.max(SURE_S, SURE_PART * etaSeconds)) return `about ${inUnit(etaSeconds).join(" ")} left`;
  const [lowCount, lowUnit] = inUnit(low);
  const [highCount, highUnit] = inUnit(high);
  return `${lowCount}${lowUnit === highUnit ? "" : ` ${lowUnit}`} to ${highCount} ${highUnit} left`;
}

/** A whole number of the largest unit that goes into it twice. */
function inUnit(seconds) {
  const [lengthS, unit] = UNITS.find(([length]) => length === 1 || seconds >= 2 * length);
  return [Math.round(seconds / lengthS), unit];
}

/** Shows a percentage in an element with the role progressbar; null is "not known yet". */
export function drawBar(bar, percentage) {
  const known = percentage !== null && percentage !== undefined;
  bar.firstElementChild.style.inlineSize = known ? `${Math.min(Math.max(percentage, 0), 100)}%` : "0";
  if (known) bar.setAttribute("aria-valuenow", Math.round(percentage));
  else bar.removeAttribute("aria-valuenow");
}
