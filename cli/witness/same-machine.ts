// SPDX-License-Identifier: Apache-2.0

/** What a witness on the home's own machine is worth, wherever one is named: who has the one has the other. */
export const SAME_MACHINE = 'same machine: demonstrates, does not protect'

/** The mark of a witness by its URL; null for one that is elsewhere. */
export function markOf(url: string | null): string | null {
  if (url === null) return null
  const { hostname } = new URL(url)
  const isHere = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
  return isHere ? SAME_MACHINE : null
}

/** The mark behind what is said of a witness, or nothing. */
export function markIn(url: string | null): string {
  const mark = markOf(url)
  return mark === null ? '' : ` (${mark})`
}
