// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { formatPolicy } from '#core/log/policy/policy.ts'
import { readWatched } from '../monitor/watched.ts'
import { readMirrored, type MirroredEntry } from '../open/mirror.ts'
import { readPolicy } from '../open/policy.ts'
import { acceptedText, readAccepted } from '../witness/accepted.ts'

/**
 * Whom a home in a cloud trusts, by the files of its folder: what its functions are told beside what it is
 * (functions/host/cloud/config.ts).
 * @throws AmpereError CONFIGURATION, naming the file
 */
export function trustedIn(folder: string, origin: string) {
  const policy = readPolicy(folder, origin)
  return {
    policy: policy && formatPolicy(policy),
    accepted: readAccepted(folder).map((log) => acceptedText([log])),
    watched: readWatched(folder).map((log) => formatPolicy(log.policy)),
    mirrored: readMirrored(folder).map(mirroredOf),
  }
}

/** Files about a home that is gone must not be told to the next one. @returns where they are now, or null where there were none */
export function setAside(folder: string): string | null {
  const there = ['policy.txt', 'accepted.txt', 'monitored', 'mirror.json'].filter((name) =>
    existsSync(join(folder, name)),
  )
  if (there.length === 0) return null
  const aside = mkdtempSync(join(folder, 'erased-'))
  for (const name of there) renameSync(join(folder, name), join(aside, name))
  return aside
}

function mirroredOf({ deployment, origin, registry, institution, log, policy }: MirroredEntry) {
  const keys = log.map((key) => `log ${key}\n`).join('')
  return { deployment, origin, registry, institution, policy: policy ?? `${keys}quorum none\n` }
}
