// SPDX-License-Identifier: Apache-2.0
import { createVerifiers } from '#core/crypto/signature.ts'
import { parseVerifierKey } from '#core/log/note/key.ts'
import type { Policy } from '#core/log/policy/policy.ts'
import { select } from '#core/ports/needs.ts'
import { glanceAtLog, type Glance } from '#core/server/audit/log/glance.ts'
import { AUDITOR_NEEDS } from '#core/server/audit/needs.ts'
import type { StoredLog } from './stored-log.ts'

/** Looks at this home's log by the keys that its folder pins; null for a folder from before there was a log. */
export async function glanceAt(
  { settings, platform }: StoredLog,
  policy: Policy | null,
): Promise<Glance | null> {
  if (settings.log.length === 0) return null
  const keys = settings.log.map(parseVerifierKey)
  const home = { origin: settings.origin, verifiers: createVerifiers() }
  return glanceAtLog(await select(platform, AUDITOR_NEEDS), home, { keys, policy })
}
