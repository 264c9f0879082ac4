// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Platform } from '#core/ports/needs.ts'
import { recordOf } from '#core/registry/snapshot.ts'
import { copyOf } from '#core/server/mirror/copy-of.ts'
import { readLastRun } from '#core/server/mirror/last-run.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { deploymentOf } from '../../deployment/session.ts'
import type { Settings } from '../../deployment/settings.ts'
import { homeFingerprint, institutionFingerprint } from '../../mirror/fingerprints.ts'
import { checkHome } from '../../open/home.ts'
import { readMirrored } from '../../open/mirror.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'

/** Says which homes are mirrored here and what came of the last run of each; a running server does not matter. */
export async function mirrorStatus(call: Call): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  checkHome(folder)
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true, readOnly: true })
  try {
    const [mirror, keys] = [platform.table('mirror'), platform.table('mirror-keys')]
    const stores = {
      tables: { mirror, 'mirror-keys': keys },
      objects: { mirror: platform.objects('mirror') },
    }
    const homes = []
    for (const { deployment, origin, institution } of readMirrored(folder))
      homes.push({ deployment, origin, institution, last: await readLastRun(copyOf(stores, deployment)) })
    const lines = homes.map(({ deployment, origin, institution, last }) =>
      last
        ? `${origin} (${deployment}) as ${institution}: ${last.chains} chains, ${last.logSize} log entries, ${last.problems} problems, ${last.time}`
        : `${origin} (${deployment}) as ${institution}: not copied yet`,
    )
    const ok = homes.every(({ last }) => last !== null && last.problems === 0)
    const home = homeFingerprint(settings.registry, settings.log)
    const institution = await ownFingerprint(platform, settings)
    call.screen.print({ ok, homes, home, institution }, [
      ...(lines.length > 0 ? lines : ['No home is mirrored here.']),
      `Fingerprint of this home, for those who mirror it  ${home}`,
      ...(institution === null
        ? []
        : [`Fingerprint of its institution, for those whom it mirrors  ${institution}`]),
    ])
    return ok ? EXIT.ok : EXIT.verification
  } finally {
    await platform.close()
  }
}

/** Of the institution to which this deployment belongs; its keys are in the registry, which needs no passphrase. */
async function ownFingerprint(platform: Platform, settings: Settings): Promise<string | null> {
  const table = platform.table('registry')
  const source = createRegistrySource(table, settings.registry, createVerifiers())
  const newest = (await source.refresh()).newest()
  const owner = recordOf(newest, 'deployment', settings.deployment)?.institution
  const record = owner === undefined ? null : recordOf(newest, 'institution', owner)
  return record && institutionFingerprint(record)
}
