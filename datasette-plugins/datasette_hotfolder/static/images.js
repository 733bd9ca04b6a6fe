// Images that failed while the server was away.

/** Asks once more for every image of the page that could not be shown. */
export function retryImages() {
  for (const image of document.images) {
    const address = image.getAttribute("src");
    if (address && image.complete && !image.naturalWidth) image.src = address;
  }
}
