// The queue page: the lanes, jobs at work, waiting and ended, dead work, the engine, and the files in the inbox.

import { jobPath } from "./api.js";
import { DeadList } from "./dead_list.js";
import { byId, element, setText } from "./element.js";
import { EnginePanel } from "./engine_panel.js";
import { formatNumber } from "./format.js";
import { JobList } from "./job_list.js";
import { JobOrder } from "./job_order.js";
import { Lanes, standstillWords } from "./lanes.js";
import { LogTail } from "./log_tail.js";
import { startPage } from "./page.js";
import { advance } from "./progress.js";
import { throttled } from "./throttle.js";
import { toast } from "./toast.js";

const JOB_EVERY_MS = 500;
const SECOND_MS = 1_000;
const LIST_EVERY_MS = 5_000;
const QUEUE_EVERY_MS = 1_000;
const ASK_AGAIN_MS = 10_000;
const LOOK_EVERY_MS = 10_000; // what is left of jobs that wait is told anew so often
const TOO_MANY_FOR_ONE_BY_ONE = 4;
const AT_MOST_OF_A_KIND = 50;
const ALL_JOBS = `/-/api/jobs?state=all&limit=${AT_MOST_OF_A_KIND}`;

const { data, api, stream, statusBar } = startPage();
const jobs = new JobList({ base: data.base, mayAct, isMember: data.actor !== null, act });
const lanes = new Lanes(byId("lanes"), { mayAct: data.can.admin, act: steer });
const dead = new DeadList({ mayAct: (each) => (each.jobId ? mayAct(each) : data.can.admin), requeue });
const engine = new EnginePanel(api, data.can.admin);
const changed = new Set();
const askChanged = throttled(refreshNext, JOB_EVERY_MS);
const askAll = throttled(refreshAll, LIST_EVERY_MS);
const askQueue = throttled(refreshQueue, QUEUE_EVERY_MS);

let waitingTotal = data.status.queue.waiting;
let isCut = false; // whether more jobs wait than the list holds
let queueSeq = 0; // the last event that is contained in what is shown of the lanes

showAll(data.jobs, 0);
engine.show(data.status);
showQueue(data.queue);
new JobOrder(byId("waiting"), { jobs, setPriority, renew: refreshAll, news: byId("order-news") });
if (data.can.admin) new LogTail(api, byId("log"));
statusBar.addEventListener("status", ({ detail }) => showStatus(detail));
statusBar.addEventListener("job", ({ detail }) => jobs.update(detail.job, detail.askedAt));
stream.addEventListener("reset", () => {
  queueSeq = 0;
  askAll();
  askQueue();
});
stream.addEventListener("events", ({ detail }) => detail.forEach(hear));
stream.addEventListener("connection", ({ detail }) => detail === "connected" && (askAll(), askQueue()));
setInterval(() => document.visibilityState === "visible" && jobs.count("waiting") && (askAll(), askQueue()), LOOK_EVERY_MS);

setInterval(() => document.visibilityState === "visible" && jobs.tick(), SECOND_MS);

/** Whose job it is, or an admin, may steer it. */
function mayAct({ owner }) {
  return data.can.admin || (data.can.submit && owner === data.actor.name);
}

function hear({ topic, subjectId, data: facts }) {
  if (topic === "generation.progress") return progress(facts);
  if (topic === "queue.lane" || topic === "workQueue.updated") askQueue();
  if (topic === "job.received" || topic === "job.changed") refresh(subjectId);
  else if (topic === "generation.changed" && facts.jobId) refresh(facts.jobId);
}

function refresh(jobId) {
  changed.add(jobId);
  askChanged();
  askAll();
}

function progress(facts) {
  const job = jobs.find(facts.jobId);
  if (job?.status === "running") jobs.advance(facts.jobId, advance(job.progress ?? { totalImages: job.totalPictures }, facts));
  else if (!job) refresh(facts.jobId);
}

async function refreshNext() {
  if (changed.size > TOO_MANY_FOR_ONE_BY_ONE) return refreshAll();
  const [jobId] = changed;
  changed.delete(jobId);
  if (changed.size) askChanged();
  if (jobId) await fetchJob(jobId);
}

async function fetchJob(jobId) {
  const askedAt = performance.now();
  try {
    jobs.update(await api.get(jobPath(jobId)), askedAt);
    showCut();
  } catch (error) {
    if (error.status === 404) jobs.remove(jobId);
    else setTimeout(askAll, ASK_AGAIN_MS);
  }
}

/** Gives whether the lists are as the server says. */
async function refreshAll() {
  changed.clear();
  const askedAt = performance.now();
  try {
    showAll(await api.get(ALL_JOBS), askedAt);
    return true;
  } catch {
    setTimeout(askAll, ASK_AGAIN_MS);
    return false;
  }
}

async function refreshQueue() {
  try {
    showQueue(await api.get("/-/api/queue"));
  } catch {
    setTimeout(askQueue, ASK_AGAIN_MS);
  }
}

/** `body` goes with the action, where it needs one; gives whether it was done. */
async function act(jobId, action, body) {
  const askedAt = performance.now();
  try {
    jobs.update(await api.post(`${jobPath(jobId)}/${action}`, body), askedAt);
    return true;
  } catch (error) {
    toast(error.words, "failure");
    refresh(jobId);
    return false;
  }
}

function setPriority(jobId, priority) {
  return act(jobId, "priority", { priority });
}

/** Dead work of a job goes with the job. */
function requeue({ jobId, workId }) {
  return jobId ? act(jobId, "requeue") : askOfQueue(`/-/api/queue/${encodeURIComponent(workId)}/requeue`);
}

function steer(lane, action) {
  return askOfQueue(`/-/api/lanes/${encodeURIComponent(lane)}/${action}`);
}

async function askOfQueue(path) {
  try {
    showQueue(await api.post(path));
  } catch (error) {
    toast(error.words, "failure");
    askQueue();
  }
}

function showQueue({ lanes: told, dead: deadJobs, deadItems, seq }) {
  if (seq < queueSeq) return; // a younger answer was quicker
  queueSeq = seq;
  lanes.show(told);
  const why = standstillWords(told);
  byId("waiting-why").hidden = !why;
  setText(byId("waiting-why"), why);
  dead.show([...deadJobs, ...deadItems]);
}

function showAll({ items, waiting, waitingTotal: inInbox }, askedAt) {
  jobs.replace(items, askedAt).forEach(refreshOne);
  isCut = jobs.count("waiting") >= AT_MOST_OF_A_KIND;
  byId("inbox-none").hidden = waiting.length > 0;
  byId("inbox").replaceChildren(...waiting.map(inboxFile));
  showMore("inbox-more", inInbox - waiting.length);
  showCut();
}

/** A job at work that the list lacks has ended meanwhile, or will be told of. */
function refreshOne(jobId) {
  changed.add(jobId);
  askChanged();
}

function showStatus(status) {
  waitingTotal = status.queue.waiting;
  engine.show(status);
  showCut();
}

/** What the lists leave out. */
function showCut() {
  showMore("waiting-more", isCut ? waitingTotal - jobs.count("waiting") : 0);
  byId("ended-more").hidden = jobs.count("ended") < AT_MOST_OF_A_KIND;
}

function showMore(id, count) {
  byId(id).hidden = !(count > 0);
  setText(byId(id), `and ${formatNumber(count)} more`);
}

function inboxFile({ jobFile, status }) {
  return element("li", {}, element("span", { title: jobFile }, jobFile), element("span", { class: "hint" }, status === "held" ? "held" : "arriving"));
}
