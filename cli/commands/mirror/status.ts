// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { recordOf, type RegistryView } from '#core/registry/snapshot.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { reachCloud } from '../../cloud/reach-home.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import type { Settings } from '../../deployment/settings.ts'
import { homeFingerprint, institutionFingerprint } from '../../mirror/fingerprints.ts'
import {
  copiedPhrase,
  failedPhrase,
  mirrorStandings,
  toldStandings,
  type Standing,
} from '../../mirror/standing.ts'
import { askRuns } from '../../mirror/ask-runs.ts'
import { connectActive } from '../../open/bridge.ts'
import { checkHome } from '../../open/home.ts'
import { actingInstance, openInstitution } from '../../open/institution.ts'
import { readMirrored } from '../../open/mirror.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'

/** Says which homes are mirrored, here or by a home in a cloud, and what came of the last run of each; a running server does not matter. */
export async function mirrorStatus(call: Call<CloudOption>): Promise<number> {
  return call.options.cloud === undefined ? statusHere(call) : statusInCloud(call, call.options.cloud)
}

async function statusHere(call: Call): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  checkHome(folder)
  const platform = openLocal({ folder: join(folder, 'home'), passphrase: null, beside: true, readOnly: true })
  try {
    const homes = await mirrorStandings(folder, platform, call.screen.terminal.now())
    const source = createRegistrySource(platform.table('registry'), settings.registry, createVerifiers())
    return say(call, settings, homes, (await source.refresh()).newest())
  } finally {
    await platform.close()
  }
}

/** The copies are in its own stores: it says to its institution what came of its runs. */
async function statusInCloud(call: Call<CloudOption>, cloud: string): Promise<number> {
  const { folder, settings, passphrase, fetch } = await reachCloud(call, cloud)
  const founder = await openInstitution(folder, settings.institutions[0] ?? '', passphrase)
  const { institution, connection } = await connectActive(founder, settings, fetch)
  const { now } = call.screen.terminal
  const asking = { fetch, now, signer: actingInstance(institution) }
  // A home that mirrors nobody need not be asked.
  const none = readMirrored(folder).length === 0
  const said = none ? { items: [] } : await askRuns(asking, settings.origin)
  return say(call, settings, toldStandings(folder, said, now()), connection.sync.registry.newest())
}

function say(
  call: Call,
  { registry, log, deployment }: Settings,
  homes: readonly Standing[],
  newest: RegistryView,
): number {
  const verdicts = homes.map(({ verdict }) => verdict)
  const ok = verdicts.every((verdict) => verdict === 'ok' || verdict === 'unseen')
  const home = homeFingerprint(registry, log)
  const institution = ownFingerprint(newest, deployment)
  call.screen.print({ ok, homes, home, institution }, [
    ...(homes.length > 0 ? homes.flatMap((each) => linesOf(each, call)) : ['No home is mirrored here.']),
    `Fingerprint of this home, for those who mirror it  ${home}`,
    ...(institution === null
      ? []
      : [`Fingerprint of its institution, for those whom it mirrors  ${institution}`]),
  ])
  if (ok) return EXIT.ok
  return verdicts.includes('wrong') ? EXIT.verification : EXIT.failed
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

/** Of the institution to which a deployment belongs; its keys are in the registry, which needs no passphrase. */
function ownFingerprint(newest: RegistryView, deployment: string): string | null {
  const owner = recordOf(newest, 'deployment', deployment)?.institution
  const record = owner === undefined ? null : recordOf(newest, 'institution', owner)
  return record && institutionFingerprint(record)
}
