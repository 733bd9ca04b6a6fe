// Calls that come in bursts, done at most once in a while.

/** A function that calls `action` at once, and again at most every `intervalMs` however often it is called. */
export function throttled(action, intervalMs) {
  let timer = null;
  let again = false;
  const run = () => {
    again = false;
    timer = setTimeout(() => {
      timer = null;
      if (again) run();
    }, intervalMs);
    action();
  };
  return () => {
    if (timer === null) run();
    else again = true;
  };
}
