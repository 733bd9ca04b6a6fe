// Empties the trash, after a question.

import { askForConsent } from "./ask.js";
import { toast } from "./toast.js";
import { failedWords, TRASH } from "./words_care.js";

/** Removes all that lies in the trash for good. */
export async function emptyTrash({ api, set, selection }) {
  if (!(await askForConsent(TRASH.consent(set.total)))) return;
  try {
    const { purged } = await api.post("/-/api/trash/purge", { all: true });
    toast(TRASH.emptied(purged));
    selection.clear();
    await set.reload();
  } catch (error) {
    toast(failedWords(error.words ?? String(error)), "failure");
  }
}
