// SPDX-License-Identifier: Apache-2.0
import type { Policy } from '#core/log/policy/policy.ts'

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

/** The mark behind what the witnesses of a policy vouch for, when all of them are on this machine; else nothing. */
export function markOfAll(policy: Policy | null | undefined): string {
  const witnesses = policy?.witnesses ?? []
  const areHere = witnesses.length > 0 && witnesses.every(({ url }) => markOf(url) !== null)
  return areHere ? ` (${SAME_MACHINE})` : ''
}
