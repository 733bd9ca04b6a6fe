// Submits a job once: what is sent again after a lost answer has the same id.

import { keep, loadKept } from "./kept_here.js";

const PENDING = "generate.pending";

/** A UUID; crypto.randomUUID is missing where a page comes by plain http. */
export function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Sends a job and gives the server's answer; raises ApiError. Only an answer makes the next press another job. */
export async function submitJob(api, job) {
  const text = JSON.stringify(job);
  const earlier = loadKept(PENDING);
  const id = earlier?.text === text ? earlier.id : newUuid();
  keep(PENDING, { id, text });
  try {
    const answer = await api.post("/-/api/jobs", { ...job, id });
    keep(PENDING, null);
    return answer;
  } catch (error) {
    if (error.status >= 400 && error.status < 500) keep(PENDING, null);
    throw error;
  }
}
