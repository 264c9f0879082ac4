// SPDX-License-Identifier: Apache-2.0

/** Lets acts on one thing follow each other; those on others do not wait. What an act throws ends only that act. */
export type Turns = <T>(key: string, act: () => Promise<T>) => Promise<T>

/** Turns of this process. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return async (key, act) => {
    const before = last.get(key) ?? Promise.resolve()
    const turn = before.then(act, act)
    last.set(key, turn)
    try {
      return await turn
    } finally {
      if (last.get(key) === turn) last.delete(key)
    }
  }
}
