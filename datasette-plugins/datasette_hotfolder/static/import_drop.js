// Pictures of this machine dropped on the grid: sent one after the other, and imported.

import { element, setText } from "./element.js";
import { startDrop } from "./generate_drops.js";
import { droppedFiles, upload } from "./upload.js";
import { toast } from "./toast.js";
import { DROP_TO_IMPORT, MAY_NOT_SUBMIT, moreWords, NO_FOLDERS, NOTHING_TO_UPLOAD, refusedWords, uploadedWords, uploadWords } from "./words_generate.js";

const ERRORS_SHOWN = 5;

/** Lets files be dropped on an element; `context` has the API and what somebody may do. */
export function startImportDrop(context, place) {
  place.dataset.dropWords = DROP_TO_IMPORT;
  const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  startDrop(place, hasFiles, (transfer) => {
    if (!context.can.submit) return toast(MAY_NOT_SUBMIT, "warning");
    const { files, hasFolders } = droppedFiles(transfer);
    if (hasFolders) toast(NO_FOLDERS, "warning");
    else if (!files.length) toast(NOTHING_TO_UPLOAD, "warning");
    if (files.length) importFiles(context, files);
  });
}

/** Sends files, with a message that tells how far they are, and then what was refused. */
export async function importFiles(context, files) {
  const news = new UploadNews(files);
  const failures = [];
  for (const [index, file] of files.entries()) {
    try {
      await upload(context.api.base, file, (part) => news.show(index, part));
    } catch (error) {
      failures.push(`${file.name}: ${error.words}`);
    }
    news.show(index + 1, 0);
  }
  news.end();
  const sent = files.length - failures.length;
  if (sent) toast(uploadedWords(sent));
  if (failures.length) toast(failureWords(failures), "failure");
}

function failureWords(failures) {
  const more = failures.length - ERRORS_SHOWN;
  return [refusedWords(failures.length), ...failures.slice(0, ERRORS_SHOWN), more > 0 && moreWords(more)].filter(Boolean).join("\n");
}

/** A message that stays until all is sent. */
class UploadNews {
  #files;
  #total;
  #words = element("span");
  #bar = element("i");
  #node;

  constructor(files) {
    this.#files = files;
    this.#total = files.reduce((sum, { size }) => sum + size, 0) || 1;
    this.#node = element("p", { class: "toast uploading" }, this.#words, element("span", { class: "bar" }, this.#bar));
    this.show(0, 0);
  }

  /** So many are sent, and this part of the next. */
  show(done, part) {
    const before = this.#files.slice(0, done).reduce((sum, { size }) => sum + size, 0);
    const percentage = Math.floor((100 * (before + part * (this.#files[done]?.size ?? 0))) / this.#total);
    setText(this.#words, uploadWords(done, this.#files.length, percentage));
    this.#bar.style.inlineSize = `${percentage}%`;
    if (!this.#node.isConnected) document.getElementById("toasts").append(this.#node); // other messages may push it out
  }

  end() {
    this.#node.remove();
  }
}
