// Asks into which collection pictures go: one that is there, or a new one.

import { askForWords } from "./ask.js";
import { toast } from "./toast.js";
import { refused } from "./words_actions.js";
import { ADD_TO } from "./words_library.js";

/** Gives what asks; the answer goes to `then(name)`, or the pictures into the collection of that name, which is made when there is none. */
export function collectionQuestion(collections, actions) {
  async function suggest() {
    if (!collections.isLoaded) await collections.load();
    return collections.manual.map(({ name }) => name);
  }

  async function findOrMake(name) {
    await collections.load();
    const known = collections.manual.find((each) => each.name.toLowerCase() === name.toLowerCase());
    return known ?? collections.create(name);
  }

  async function addTo(name) {
    try {
      const collection = await findOrMake(name);
      await actions.addTo(collection.collectionId, collection.name);
    } catch (error) {
      toast(refused(error.words ?? String(error)), "failure");
    }
  }

  return async function ask(then = addTo) {
    const name = await askForWords({ ...ADD_TO, suggest });
    if (name) await then(name);
  };
}
