// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { copyOf } from '#core/server/mirror/copy-of.ts'
import { readLastRun } from '#core/server/mirror/last-run.ts'
import { deploymentOf } from '../../deployment/session.ts'
import { readMirrored } from '../../open/mirror.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'

/** Says which homes are mirrored here and what came of the last run of each; a running server does not matter. */
export async function mirrorStatus(call: Call): Promise<number> {
  const { folder } = deploymentOf(call)
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true })
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
    call.screen.print({ ok, homes }, lines.length > 0 ? lines : ['No home is mirrored here.'])
    return ok ? EXIT.ok : EXIT.verification
  } finally {
    await platform.close()
  }
}
