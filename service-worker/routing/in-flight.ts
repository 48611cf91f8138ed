/** Counts the calls that are in flight to each of several places. Pure. */

export interface CallInFlight {
  /** Includes this call. */
  count: number;
  /** Call it when the call is over. Further calls do nothing. */
  leave: () => void;
}

export function enter<Place>(inFlight: Map<Place, number>, place: Place): CallInFlight {
  const count = (inFlight.get(place) ?? 0) + 1;
  inFlight.set(place, count);
  let isIn = true;
  const leave = (): void => {
    if (!isIn) return;
    isIn = false;
    const left = (inFlight.get(place) ?? 1) - 1;
    if (left === 0) inFlight.delete(place);
    else inFlight.set(place, left);
  };
  return { count, leave };
}
