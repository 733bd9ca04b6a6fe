// Days with pictures, and what a scale beside the grid writes of them (pure).

/** The pictures by day: each with the place of its first one, in the order of the grid. */
export class Timeline {
  /** `days` as the server tells them: {day, n, offset}; `placeOf(offset)` gives the place. */
  constructor(days, total, placeOf) {
    this.days = days.map(({ day, n, offset }) => ({ day, n, place: placeOf(offset) }));
    this.total = total;
    if (this.days.length) this.days[0].place = 0; // what arrived since is of the same time
  }

  get isDescending() {
    return this.days.length < 2 || this.days[0].day > this.days.at(-1).day;
  }

  /** The index of the day that a place belongs to; -1 without days. */
  indexAt(place) {
    let low = 0;
    let high = this.days.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.days[middle].place <= place) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The index of a day, or of the nearest one behind it that has pictures. */
  indexOf(day) {
    const isReached = this.isDescending ? (each) => each.day <= day : (each) => each.day >= day;
    const index = this.days.findIndex(isReached);
    return index < 0 ? this.days.length - 1 : index;
  }

  /** The index of the first day of the month before (-1) or after (1) that of a day, in the order of the grid. */
  monthFrom(index, step) {
    const monthAt = (each) => this.days[each]?.day.slice(0, 7);
    const firstOf = (each) => {
      let first = each;
      while (first > 0 && monthAt(first - 1) === monthAt(each)) first--;
      return first;
    };
    if (step < 0) return firstOf(index) < index ? firstOf(index) : firstOf(Math.max(0, index - 1));
    const next = this.days.findIndex((_, each) => each > index && monthAt(each) !== monthAt(index));
    return next < 0 ? this.days.length - 1 : next;
  }

  /** Each month with its first place; `isYear` where its year is not that of the month before. */
  months() {
    const starts = this.days.filter(({ day }, index) => day.slice(0, 7) !== this.days[index - 1]?.day.slice(0, 7));
    return starts.map(({ day, place }, index) => ({ day, place, isYear: index > 0 && day.slice(0, 4) !== starts[index - 1].day.slice(0, 4) }));
  }

  /** The months that are written, none nearer than `least` (a share of the whole); years go before months. */
  labels(least) {
    const months = this.months();
    const chosen = [];
    const isFree = ({ place }) => chosen.every((each) => Math.abs(each.place - place) >= least * this.total);
    const byWeight = [...months.slice(0, 1), ...months.filter(({ isYear }) => isYear), ...months.slice(1).filter(({ isYear }) => !isYear)];
    for (const each of byWeight) if (isFree(each)) chosen.push(each);
    return chosen.sort((one, other) => one.place - other.place);
  }
}
