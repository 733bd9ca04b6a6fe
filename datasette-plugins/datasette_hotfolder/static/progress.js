// How far a job is: the progress of the API brought up to date by events, in words.

import { formatSeconds } from "./format.js";

/** The progress after an event `generation.progress`; the picture at work is known by its position. */
export function advance(progress, { position, stage, currentStep, totalSteps, stepTimeS }) {
  const totalImages = progress?.totalImages ?? 1;
  const currentImage = Math.max(progress?.currentImage ?? 1, Math.min((position ?? 0) + 1, totalImages));
  const fraction = totalSteps ? Math.min((currentStep ?? 0) / totalSteps, 1) : 0;
  const percentage = (100 * (currentImage - 1 + fraction)) / totalImages;
  const stepsLeft = totalSteps ? totalSteps - (currentStep ?? 0) + (totalImages - currentImage) * totalSteps : null;
  return {
    ...progress,
    stage,
    currentStep,
    totalSteps,
    currentImage,
    totalImages,
    percentage: Math.max(percentage, progress?.percentage ?? 0), // a bar that goes back frightens
    etaSeconds: stepTimeS && stepsLeft !== null ? stepTimeS * stepsLeft : null,
  };
}

/** A job as the server tells it; events may have brought its progress further already, and a bar does not go back. */
export function keepFurther(shown, told) {
  const isSameRun = shown?.jobId === told.jobId && shown.status === "running" && told.status === "running";
  const isFurther = isSameRun && (shown.progress?.percentage ?? 0) > (told.progress?.percentage ?? 0);
  return isFurther ? { ...told, progress: shown.progress } : told;
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

/** "9 s left", or nothing while it is not known. */
export function etaWords({ etaSeconds }) {
  return etaSeconds === null || etaSeconds === undefined ? "" : `${formatSeconds(Math.ceil(etaSeconds))} left`;
}

/** Shows a percentage in an element with the role progressbar; null is "not known yet". */
export function drawBar(bar, percentage) {
  const known = percentage !== null && percentage !== undefined;
  bar.firstElementChild.style.inlineSize = known ? `${Math.min(Math.max(percentage, 0), 100)}%` : "0";
  if (known) bar.setAttribute("aria-valuenow", Math.round(percentage));
  else bar.removeAttribute("aria-valuenow");
}
