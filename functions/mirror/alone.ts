// SPDX-License-Identifier: Apache-2.0
import { createVerifiers } from '#core/crypto/signature.ts'
import { select } from '#core/ports/needs.ts'
import { AmpereError } from '#core/errors.ts'
import { logOriginOf } from '#core/api/log.ts'
import type { MirroredHome } from '#core/server/mirror/mirrored-home.ts'
import type { Alone } from '../host/cloud/alone.ts'
import type { CloudConfig } from '../host/cloud/config.ts'
import { silentTelemetry } from '../host/telemetry.ts'
import { createMirroring } from './mirroring.ts'
import { role } from './role.ts'

/**
 * After how long a run begins nothing more, in milliseconds; after twice as long it asks for nothing any more, so that it has ended
 * when the schedule calls again. The next run goes on.
 */
const RUN_MS = 140_000

/**
 * The mirror in a process of its own: each call copies what is new in every home that the configuration names.
 * @throws AmpereError CONFIGURATION
 */
export async function openMirroring({ platform, config, hosting }: Alone): Promise<() => Promise<void>> {
  const homes = mirroredHomes(config)
  // Its institution's key is only there where it is a mirror.
  if (homes.length === 0) return async () => {}
  const ports = await select(platform, role.needs)
  const { log, telemetry = silentTelemetry } = hosting
  const { run } = createMirroring(
    homes.map((home) => ({ ports, home })),
    log,
    { maxMs: RUN_MS },
  )
  return () => telemetry.act('mirror', run)
}

function mirroredHomes({ mirrored, origin: own, backupDays }: CloudConfig): readonly MirroredHome[] {
  const verifiers = createVerifiers()
  return mirrored.map(({ policy, ...home }) => {
    const log = logOriginOf(home.origin)
    const logKeys = policy.logs.map(({ key }) => key).filter(({ name }) => name === log)
    if (home.origin === own || logKeys.length === 0)
      throw new AmpereError(
        'CONFIGURATION',
        'a home that is mirrored needs a policy with the keys of its log, and is not this one',
      )
    return { ...home, own, logKeys, policy: policy.quorum === null ? null : policy, backupDays, verifiers }
  })
}
