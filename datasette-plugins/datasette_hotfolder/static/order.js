// The usual order of the light table: newest first (pure).

/** Whether a picture has its place before another one. */
export function standsBefore(one, other) {
  return one.createdAt === other.createdAt ? one.mediaId > other.mediaId : one.createdAt > other.createdAt;
}
