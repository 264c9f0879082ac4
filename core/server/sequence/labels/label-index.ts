// SPDX-License-Identifier: Apache-2.0

/** Of labels, which are as good as random, so many bytes tell one from all others of a log but once in a hundred million. */
const PREFIX_BYTES = 6

/** Beginnings of labels, 8 bytes each: enough to know that a label is not among them, and nearly that it is. */
export type LabelPrefixes = Float64Array

/** Beginnings of all these labels, in order. */
export function labelPrefixes(labels: readonly Uint8Array[]): LabelPrefixes {
  return Float64Array.from(labels, prefixOf).toSorted()
}

/** False when the label is not there; when true, somebody has to look. */
export function mayHave(prefixes: LabelPrefixes, label: Uint8Array): boolean {
  const sought = prefixOf(label)
  let [low, high] = [0, prefixes.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((prefixes[middle] ?? Infinity) < sought) low = middle + 1
    else high = middle
  }
  return prefixes[low] === sought
}

function prefixOf(label: Uint8Array): number {
  let value = 0
  for (let i = 0; i < PREFIX_BYTES; i++) value = value * 256 + (label[i] ?? 0)
  return value
}
