// A small picture of a file, to show before the server has one.

const EDGE_PX = 112;

/** The middle of a picture as a data address of a few kB; null when the browser cannot read it. */
export async function smallPicture(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const edge = Math.min(bitmap.width, bitmap.height);
    const canvas = Object.assign(document.createElement("canvas"), { width: EDGE_PX, height: EDGE_PX });
    const [x, y] = [(bitmap.width - edge) / 2, (bitmap.height - edge) / 2];
    canvas.getContext("2d").drawImage(bitmap, x, y, edge, edge, 0, 0, EDGE_PX, EDGE_PX);
    bitmap.close();
    return canvas.toDataURL("image/jpeg", 0.7);
  } catch {
    return null; // a format of which the browser knows nothing; its name has to do
  }
}
