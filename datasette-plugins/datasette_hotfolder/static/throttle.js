// Calls that come in bursts, done at most once in a while.

/** A function that starts `action` at once, then again at most every `intervalMs`, and never twice at a time. */
export function throttled(action, intervalMs) {
  let isResting = false;
  let again = false;

  async function run() {
    isResting = true;
    do {
      again = false;
      await Promise.all([action(), new Promise((resolve) => setTimeout(resolve, intervalMs))]);
    } while (again);
    isResting = false;
  }

  return () => {
    again = true;
    if (!isResting) run();
  };
}
