// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '../../api/log.ts'
import { MAX_LOG_KEYS } from '../../evidence/format.ts'
import { formatVerifierKey } from '../../log/note/key.ts'
import type { Policy } from '../../log/policy/policy.ts'

/** The log of a home as evidence names it, with those of its keys that a policy pins. @param home origin of the home */
export function pinnedLog(
  policy: Policy | null,
  home: string,
): { readonly origin: string; readonly log: readonly string[] } {
  const origin = logOriginOf(home)
  const keys = (policy?.logs ?? []).filter(({ key }) => key.name === origin).slice(0, MAX_LOG_KEYS)
  return { origin, log: keys.map(({ key }) => formatVerifierKey(key)) }
}
