// SPDX-License-Identifier: Apache-2.0
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

function mirroredOf({ deployment, origin, registry, institution, log, policy }: MirroredEntry) {
  const keys = log.map((key) => `log ${key}\n`).join('')
  return { deployment, origin, registry, institution, policy: policy ?? `${keys}quorum none\n` }
}
