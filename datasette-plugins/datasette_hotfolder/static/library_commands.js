// What the keys of the light table do.

/** The commands by name, as `startKeys` calls them; some are there only in the loupe, in the review, or for some. */
export function libraryCommands(table) {
  const { set, loupe, actions, generate, go, isAdvancing } = table;
  const inLoupe = (run) => () => (loupe.isOpen ? run() : false);
  const marking = (mark) => (...given) => mark(...given, isAdvancing());
  const isReview = () => set.filter.review === "awaiting";
  const step = (n) => () => (loupe.isOpen ? loupe.arrow?.(n) || go(() => set.move(n)) : false);
  return {
    rate: marking((stars, shifted, advancing) => actions.rate(stars, { advance: shifted || advancing })),
    pick: () => actions.mark("selected", { advance: isAdvancing() }),
    reject: () => actions.mark("rejected", { advance: isAdvancing() }),
    unmark: () => actions.mark(null, { advance: isAdvancing() }),
    label: (name) => actions.label(name, { advance: isAdvancing() }),
    accept: () => (isReview() ? actions.accept() : false),
    discard: () => (isReview() ? actions.discard() : false),
    trash: () => (set.filter.deleted ? table.purge?.() : actions.trash()),
    undo: () => actions.undo(),
    advance: table.toggleAdvance,
    info: () => table.toggleInfo(),
    help: () => document.getElementById("help").showModal(),
    search: () => table.focusSearch(),
    import: () => table.importPictures(),
    generate: () => generate.toggle(),
    prompt: () => generate.focusPrompt(),
    submit: () => generate.submit(),
    grid: () => table.closeLoupe(),
    open: () => table.openLoupe(),
    close: () => close(table),
    left: step(-1),
    right: step(1),
    up: step(-1),
    down: step(1),
    first: inLoupe(() => go(() => set.moveTo(0))),
    last: inLoupe(() => go(() => set.moveTo(-1))),
    zoom: inLoupe(() => loupe.toggleZoom?.()),
    zoomIn: inLoupe(() => loupe.zoomIn?.()),
    zoomOut: inLoupe(() => loupe.zoomOut?.()),
    compare: () => compare(table),
    fullScreen: () => loupe.toggleFullScreen?.(),
  };
}

function compare({ loupe, openLoupe }) {
  if (!loupe.isOpen) openLoupe();
  loupe.compare?.();
}

/** Escape leaves one thing after the other: comparing, the loupe, the selection. */
function close({ loupe, selection, closeLoupe }) {
  if (loupe.isOpen) return loupe.leave?.() || closeLoupe();
  return selection.size || selection.isAll ? selection.clear() : false;
}
