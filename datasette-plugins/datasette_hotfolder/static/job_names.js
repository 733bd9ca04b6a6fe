// What jobs were called in the form of this browser: the first words of a prompt say more than the name of a file.

import { keep, loadKept } from "./kept_here.js";

const NAMES = "generate.jobs";
const NAMES_MOST = 50;

/** Keeps what a job was called when it was submitted. */
export function keepName(jobId, words) {
  keep(NAMES, [...loadNames().set(jobId, words)].slice(-NAMES_MOST));
}

/** The job with a title: its own, else what it was called here, if it was submitted here. */
export const named = (job) => (job.title ? job : { ...job, title: loadNames().get(job.jobId) ?? null });

const loadNames = () => new Map(loadKept(NAMES) ?? []);
