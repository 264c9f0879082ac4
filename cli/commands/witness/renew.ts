// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { stretchAhead } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import { forgetCosigned } from '#core/server/witness/logs.ts'
import { homeKeyFile } from '../../deployment/files.ts'
import { readPassphrase } from '../../deployment/passphrase.ts'
import { findRunning } from '../../deployment/running.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { checkHome } from '../../open/home.ts'
import type { Call } from '../../program/command.ts'
import { refuse } from '../../program/refuse.ts'
import { EXIT, type Common } from '../../terminal/screen.ts'
import { counted } from '../../terminal/words.ts'
import { confirmAct } from '../../witness/confirm-keys.ts'
import { renewalLines, renewWitnessKeys, witnessIn } from '../../witness/renewal.ts'

interface RenewOptions extends Common {
  readonly yes?: boolean
}

/** Gives the witness of a home that is an older copy new keys, and forgets what the old ones cosigned. */
export async function renewWitness(call: Call<RenewOptions>): Promise<number> {
  const { options, screen } = call
  const { folder, settings } = deploymentOf(call)
  const { origin } = settings
  checkHome(folder)
  if (await findRunning(settings))
    throw refuse('STORE_LOCKED', `this home is served at ${origin}, with its keys`, 'stop the server first')
  const file = homeKeyFile(folder)
  const text = await readPassphrase(folder, settings.passphrase, options, screen)
  const passphrase = await stretchAhead(text, [file])
  // Its lock keeps a server from starting meanwhile.
  const platform = openLocal({ folder: join(folder, 'home'), passphrase })
  const closed = screen.stopping.closes(() => platform.close())
  try {
    const before = await witnessIn(file, passphrase, origin)
    await confirmAct(
      screen,
      [
        `Replaces the keys of the witness ${before.name} (${before.fingerprint}) for good.`,
        'Logs that it witnesses count it no more until their operators have added it again.',
      ],
      options.yes,
    )
    const witness = await renewWitnessKeys([file], passphrase, origin)
    // In this order: ended in between, new keys keep what they did not cosign, which does no harm.
    const removed = await forgetCosigned({ tables: { witness: platform.table('witness') } })
    const lost = `${counted(removed, 'log')} of a damaged row: accept it again (npx ampere witness accept)`
    screen.print({ ok: true, ...witness, before: before.fingerprint, removed }, [
      ...renewalLines(witness, origin),
      ...(removed === 0 ? [] : [`Cosigned no more: ${lost}`]),
    ])
    return EXIT.ok
  } finally {
    closed()
    await platform.close()
  }
}
