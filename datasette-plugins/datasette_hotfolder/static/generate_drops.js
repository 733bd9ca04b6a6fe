// What is dropped on the form: pictures of the library, files of this machine.

export const MEDIA_TYPE = "application/x-hotfolder-media";

/** Whether a drag carries pictures or files. */
export const carries = ({ dataTransfer }) => [MEDIA_TYPE, "Files"].some((type) => dataTransfer?.types.includes(type));

/** The ids of the pictures of the library in a drop. */
export function droppedMedia(transfer) {
  try {
    const ids = JSON.parse(transfer.getData(MEDIA_TYPE) || "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** Calls `dropped(transfer)` for what `fits(event)`; while it is over the place, that has `data-dropping`. */
export function startDrop(place, fits, dropped) {
  let depth = 0; // each child of the place is entered and left as well
  const leave = () => {
    depth = 0;
    delete place.dataset.dropping;
  };
  place.addEventListener("dragenter", (event) => {
    if (!fits(event)) return;
    depth += 1;
    place.dataset.dropping = "";
  });
  place.addEventListener("dragleave", (event) => {
    if (fits(event) && --depth <= 0) leave();
  });
  place.addEventListener("dragover", (event) => {
    if (!fits(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  place.addEventListener("drop", (event) => {
    leave();
    if (!fits(event)) return;
    event.preventDefault();
    event.stopPropagation();
    dropped(event.dataTransfer);
  });
}
