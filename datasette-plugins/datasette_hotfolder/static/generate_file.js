// The job in the form as a file: saved, copied, and read when one is dropped.

import { byId } from "./element.js";
import { draftFromJob } from "./generate_job.js";
import { copyText, jobAsJson, jobAsYaml, jobFileName, saveText } from "./job_text.js";
import { toast } from "./toast.js";
import { COPIED, FILLED, FIRST_OF_SEVERAL, NOT_A_JOB, NOT_COPIED } from "./words_generate.js";

const JOB_FILE = /\.(json|jsonl|ya?ml)$/i;

/** `fetchEndpoint(key)` finds the endpoint of a job that is read, `fill(endpoint, draft)` fills the form. */
export class JobFile {
  #form;
  #fetchEndpoint;
  #fill;

  constructor(form, { fetchEndpoint, fill }) {
    this.#form = form;
    this.#fetchEndpoint = fetchEndpoint;
    this.#fill = fill;
    byId("generate-json").addEventListener("click", () => this.#save(jobAsJson, "json"));
    byId("generate-yaml").addEventListener("click", () => this.#save(jobAsYaml, "yaml"));
    byId("generate-copy").addEventListener("click", () => this.#copy());
  }

  /** Fills the form from a file that was dropped; false when it is none of these files. */
  async take(file) {
    if (!JOB_FILE.test(file.name)) return false;
    try {
      await this.#read(JSON.parse(await file.text()));
    } catch (error) {
      toast(error.words ?? NOT_A_JOB, "failure");
    }
    return true;
  }

  async #read(content) {
    const [job] = [content].flat();
    const endpoint = await this.#fetchEndpoint(job.task ? `local.${job.task}` : job.endpointKey);
    this.#fill(endpoint, draftFromJob({ ...job, endpointKey: endpoint.endpointKey }, endpoint.limits?.sizeMultiple));
    toast(Array.isArray(content) && content.length > 1 ? FIRST_OF_SEVERAL : FILLED);
  }

  #save(asText, ending) {
    saveText(asText(this.#form.buildJob()), jobFileName(this.#form.words, ending));
  }

  async #copy() {
    const isCopied = await copyText(jobAsJson(this.#form.buildJob()));
    toast(isCopied ? COPIED : NOT_COPIED, isCopied ? "info" : "warning");
  }
}
