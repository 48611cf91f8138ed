/**
 * The generator that all random faults draw from, so that a run can be repeated by its seed.
 */

export interface Random {
  /** @returns from 0 up to but not including 1 */
  next(): number;
  /** From here on, the numbers are those of a new generator with this seed. */
  restart(seed: number): void;
}

/** mulberry32 by Tommy Ettinger: 32 bits of state, every seed is good. @param seed a whole number; its lower 32 bits count */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    restart(newSeed) {
      state = newSeed | 0;
    },
  };
}
