// SPDX-License-Identifier: Apache-2.0

/** Lets `make` run once for all who ask, now or later. What failed is made anew for whoever asks next. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  const each = onceEach(make)
  return () => each(undefined)
}

/** The same, once for each key, compared as a Map does. */
export function onceEach<K, T>(make: (key: K) => Promise<T>): (key: K) => Promise<T> {
  const made = new Map<K, Promise<T>>()
  return (key) => {
    const known = made.get(key)
    if (known) return known
    const making = make(key)
    made.set(key, making)
    making.catch(() => {
      if (made.get(key) === making) made.delete(key)
    })
    return making
  }
}
