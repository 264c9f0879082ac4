// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Platform } from '#core/ports/needs.ts'
import { recordOf } from '#core/registry/snapshot.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import type { Settings } from '../../deployment/settings.ts'
import { homeFingerprint, institutionFingerprint } from '../../mirror/fingerprints.ts'
import { copiedPhrase, failedPhrase, mirrorStandings, type Standing } from '../../mirror/standing.ts'
import { checkHome } from '../../open/home.ts'
import type { Call } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'

/** Says which homes are mirrored here and what came of the last run of each; a running server does not matter. */
export async function mirrorStatus(call: Call): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  checkHome(folder)
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true, readOnly: true })
  try {
    const homes = await mirrorStandings(folder, platform, call.screen.terminal.now())
    const verdicts = homes.map(({ verdict }) => verdict)
    const ok = verdicts.every((verdict) => verdict === 'ok')
    const home = homeFingerprint(settings.registry, settings.log)
    const institution = await ownFingerprint(platform, settings)
    call.screen.print({ ok, homes, home, institution }, [
      ...(homes.length > 0 ? homes.flatMap((each) => linesOf(each, call)) : ['No home is mirrored here.']),
      `Fingerprint of this home, for those who mirror it  ${home}`,
      ...(institution === null
        ? []
        : [`Fingerprint of its institution, for those whom it mirrors  ${institution}`]),
    ])
    if (ok) return EXIT.ok
    return verdicts.includes('wrong') ? EXIT.verification : EXIT.failed
  } finally {
    await platform.close()
  }
}

function linesOf(standing: Standing, { screen }: Call): string[] {
  const { deployment, origin, institution } = standing
  const failed = failedPhrase(standing)
  return [
    `${plain(origin)} (${deployment}) as ${institution}: ${copiedPhrase(standing)}`,
    ...(failed === null ? [] : [`  ${screen.bad('FAILED')}: ${failed}`]),
    ...(standing.verdict === 'wrong' && failed !== null
      ? ['  It is not copied while that stays. What to do: docs/OPERATIONS.md, "After a fork"']
      : []),
  ]
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
