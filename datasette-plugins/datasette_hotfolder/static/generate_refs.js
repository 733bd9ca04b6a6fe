// The references of a job: pictures of the library and of this machine, in an order, each with a role.

import { arrange } from "./arrange.js";
import { mediaPath } from "./api.js";
import { byId, setText } from "./element.js";
import { carries, droppedMedia, startDrop } from "./generate_drops.js";
import { RefTile } from "./generate_ref_tile.js";
import { smallPicture } from "./small_picture.js";
import { toast } from "./toast.js";
import { droppedFiles, untilKnown, upload } from "./upload.js";
import { MODES, NEEDS_REFERENCE, NO_FOLDERS, tooManyReferences } from "./words_generate.js";

/**
 * A reference is {media | sha256 | path, role, name, thumbnailUrl}. `find(mediaId)` gives a picture that is known
 * already; `changed()` is told of every change; `dropFile(file)` takes a file that is no picture, or says false.
 */
export class References {
  #api;
  #find;
  #changed;
  #dropFile;
  #tiles = [];
  #chosen = null; // the tile whose role is shown
  #dragged = null; // the tile that is moved by the pointer
  #endpoint = { limits: { refs: 0 }, modes: [] };

  constructor({ api, find, changed, dropFile }) {
    this.#api = api;
    this.#find = find;
    this.#changed = changed;
    this.#dropFile = dropFile;
    startDrop(byId("generate-form"), (event) => carries(event) && !this.#dragged, (transfer) => this.#drop(transfer));
    byId("generate-pick").addEventListener("click", () => byId("generate-files").click());
    byId("generate-files").addEventListener("change", ({ target }) => {
      this.#addFiles([...target.files]);
      target.value = "";
    });
    this.#listenToDetails();
  }

  get isBusy() {
    return this.#tiles.some(({ isBusy }) => isBusy);
  }

  get value() {
    return this.#tiles.filter(({ isBusy }) => !isBusy).map(({ reference }) => ({ ...reference }));
  }

  set value(references) {
    for (const tile of this.#tiles) tile.node.remove();
    this.#tiles = references.map((each) => this.#tile(each));
    this.#choose(null);
    this.#show();
  }

  /** For endpoints that take references; others keep those that are there until they are removed. */
  offer(endpoint) {
    this.#endpoint = endpoint;
    this.#show();
  }

  /** Adds a picture of the library, unless it is there; false when there is no room for it. */
  addMedia({ mediaId, title, originalName, fileName, thumbnailUrl }) {
    if (this.#tiles.some(({ reference }) => reference.media === mediaId)) return true;
    return this.#add({ media: mediaId, name: title || originalName || fileName || mediaId, thumbnailUrl }) !== null;
  }

  async #drop(transfer) {
    const ids = droppedMedia(transfer);
    if (ids.length) return this.#addIds(ids);
    const { files, hasFolders } = droppedFiles(transfer);
    if (hasFolders) toast(NO_FOLDERS, "warning");
    const isTaken = await Promise.all(files.map((file) => this.#dropFile(file)));
    this.#addFiles(files.filter((_, index) => !isTaken[index]));
  }

  async #addIds(ids) {
    for (const mediaId of ids) {
      try {
        const media = this.#find(mediaId) ?? (await this.#api.get(mediaPath(mediaId)));
        if (!this.addMedia(media)) return;
      } catch (error) {
        toast(error.words ?? String(error), "failure");
      }
    }
  }

  #addFiles(files) {
    for (const file of files) {
      const tile = this.#add({ name: file.name }, true);
      if (!tile) return;
      this.#send(tile, file);
    }
  }

  async #send(tile, file) {
    try {
      smallPicture(file).then((thumbnailUrl) => thumbnailUrl && (tile.take({ thumbnailUrl }), this.#changed()));
      const { sha256 } = await upload(this.#api.base, file, (part) => tile.progress(part));
      const twin = this.#tiles.find((each) => each !== tile && each.reference.sha256 === sha256);
      if (twin) return this.#remove(tile);
      tile.take({ sha256 });
      await untilKnown(this.#api, sha256, this.#endpoint.endpointKey);
      tile.isBusy = false;
      this.#changed();
    } catch (error) {
      this.#remove(tile);
      toast(`${file.name}: ${error.words ?? error}`, "failure");
    }
  }

  #add(reference, isBusy = false) {
    const most = this.#endpoint.limits.refs;
    if (this.#tiles.length >= most) {
      toast(tooManyReferences(this.#endpoint.displayName, most), "warning");
      return null;
    }
    const tile = this.#tile(reference, isBusy);
    this.#tiles.push(tile);
    this.#show();
    this.#changed();
    return tile;
  }

  #tile(reference, isBusy = false) {
    return new RefTile(reference, isBusy, {
      choose: (tile) => this.#choose(tile === this.#chosen ? null : tile),
      remove: (tile) => this.#remove(tile, true),
      move: (tile, step) => this.#move(tile, step),
      step: (tile, step) => this.#tiles[this.#tiles.indexOf(tile) + step]?.node.focus(),
      drag: (tile) => (this.#dragged = tile),
      over: (tile) => this.#dragged && this.#dragged !== tile && this.#put(this.#dragged, this.#tiles.indexOf(tile)),
    });
  }

  #remove(tile, keepsFocus = false) {
    const place = this.#tiles.indexOf(tile);
    if (place < 0) return;
    this.#tiles.splice(place, 1);
    tile.node.remove();
    if (this.#chosen === tile) this.#choose(null);
    this.#show();
    this.#changed();
    if (keepsFocus) (this.#tiles[Math.min(place, this.#tiles.length - 1)]?.node ?? byId("generate-pick")).focus();
  }

  #move(tile, step) {
    const place = this.#tiles.indexOf(tile) + step;
    if (place >= 0 && place < this.#tiles.length) this.#put(tile, place);
  }

  #put(tile, place) {
    this.#tiles.splice(this.#tiles.indexOf(tile), 1);
    this.#tiles.splice(place, 0, tile);
    this.#show();
    this.#changed();
  }

  #choose(tile) {
    this.#chosen = tile;
    for (const each of this.#tiles) each.isChosen = each === tile;
    byId("generate-ref").hidden = !tile;
    if (tile) byId("generate-role").value = tile.reference.role ?? "";
  }

  #listenToDetails() {
    byId("generate-role").addEventListener("input", ({ target }) => {
      this.#chosen.take({ role: target.value.trim() || undefined });
      this.#changed();
    });
    byId("generate-ref-back").addEventListener("click", () => this.#move(this.#chosen, -1));
    byId("generate-ref-on").addEventListener("click", () => this.#move(this.#chosen, 1));
    byId("generate-ref-remove").addEventListener("click", () => this.#remove(this.#chosen, true));
  }

  #show() {
    const { limits, modes, displayName } = this.#endpoint;
    const count = this.#tiles.length;
    arrange(byId("generate-ref-list"), this.#tiles.map(({ node }) => node));
    this.#tiles.forEach((tile, index) => tile.place(index + 1, count));
    byId("generate-refs").hidden = !limits.refs && !count;
    byId("generate-pick").hidden = count >= limits.refs;
    byId("generate-refs-words").hidden = count <= limits.refs;
    setText(byId("generate-refs-words"), count > limits.refs ? tooManyReferences(displayName, limits.refs) : "");
    setText(byId("generate-mode"), modeWords(modes, count));
  }
}

function modeWords(modes, count) {
  const fits = modes.find((mode) => mode.startsWith(count ? "image-" : "text-"));
  return fits ? MODES[fits] : count ? "" : NEEDS_REFERENCE;
}
