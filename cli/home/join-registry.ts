// SPDX-License-Identifier: Apache-2.0
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { StretchedPassphrase } from '#adapters/local/keys/key-file.ts'
import { openLocal } from '#adapters/local/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId, type DeploymentId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import type { Connection } from '#core/client/connect.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { keyRecord } from '#core/registry/build.ts'
import { getRecord, recordsIn, type RegistryState } from '#core/registry/state.ts'
import { registryHomeIn } from '#core/server/follow/registry-home.ts'
import { noteContact } from '#core/server/follow/rows.ts'
import { REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { addChange } from '../commands/instances/registry-session.ts'
import { institutionFolder, keyFileOf } from '../deployment/files.ts'
import { publicKeysOf } from '../deployment/found-home.ts'
import { inStaging } from '../deployment/set-up.ts'
import { SETTINGS_VERSION, type PassphraseSource, type Settings } from '../deployment/settings.ts'
import { connectHome, stateOf } from '../mirror/other-home.ts'
import { openInstitution, rootSigner, type Institution } from '../open/institution.ts'
import { refuse } from '../program/refuse.ts'

/** A home that is to be, of a registry that is at home elsewhere. */
export interface JoiningHome {
  /** Where it will be served. */
  readonly origin: string
  /** Where the registry is at home, and the id that is pinned. */
  readonly at: string
  readonly registry: Digest
  /** Whose home it is: an active member, whose keys are in the data folder `from`. */
  readonly institution: string
  readonly from: string
  readonly passphrase: PassphraseSource
}

/**
 * Sets up a home in a data folder that follows a registry elsewhere: verifies the whole registry, makes the home's keys, has the
 * institution enter it at the registry's home, and keeps the registry as it is then. The folder is whole or nothing; what was entered
 * stays, and the same command enters it anew.
 * @throws AmpereError VERIFICATION_FAILED, UPSTREAM_FAILED, FORBIDDEN, ALREADY_EXISTS, CONFIGURATION
 */
export function joinRegistry(
  folder: string,
  what: JoiningHome,
  passphrase: StretchedPassphrase,
  keepPassphrase: (staging: string) => Promise<void>,
): Promise<Settings> {
  return inStaging(folder, async (staging) => {
    const institution = await openInstitution(what.from, what.institution, passphrase)
    const connection = await connectHome(what.at, what.registry, institution)
    await checkMayJoin(connection, what, institution)
    await keepPassphrase(staging)
    copyKeys(what, staging)
    const platform = openLocal({ folder: join(staging, 'home'), passphrase })
    try {
      const deployment = deploymentFor(stateOf(connection), what)
      await enter(connection, institution, { deployment, origin: what.origin }, await platform.signer('head'))
      await keepRegistry(platform, connection)
      const { log } = await publicKeysOf(platform, what.origin)
      return settingsOf(what, deployment, log)
    } finally {
      await platform.close()
    }
  })
}

function settingsOf(
  { registry, origin, institution, passphrase }: JoiningHome,
  deployment: DeploymentId,
  log: readonly string[],
): Settings {
  return {
    v: SETTINGS_VERSION,
    registry,
    deployment,
    origin,
    log,
    institutions: [institution],
    passphrase,
    demo: null,
  }
}

/** @throws AmpereError CHAIN_MOVED where the registry is at home elsewhere, CONFIGURATION for that of a demonstration, FORBIDDEN for no member */
async function checkMayJoin(
  { sync }: Connection,
  { at, institution: id }: JoiningHome,
  institution: Institution,
): Promise<void> {
  const view = sync.registry.newest()
  const { origin } = registryHomeIn(view)
  if (origin !== at)
    throw refuse('CHAIN_MOVED', `the registry is at home at ${origin}`, `npx ampere home join ${origin} ...`)
  const rules = view.get('rules')
  if (rules?.kind === 'rules' && rules.demo)
    throw refuse(
      'CONFIGURATION',
      'the registry is that of a demonstration, and what is real does not join it',
    )
  const member = view.get(`institution/${id}`)
  const root = await rootSigner(institution)
  if (member?.kind === 'institution' && member.status === 'active' && thumbprint(member.root) === root.kid)
    return
  throw refuse('FORBIDDEN', `${id}, with the root key that is here, is no active member of the registry`)
}

/** Only the keys: what the institution knows of patients stays where it is. */
function copyKeys({ from, institution }: JoiningHome, staging: string): void {
  mkdirSync(institutionFolder(staging, institution), { recursive: true, mode: 0o700 })
  copyFileSync(keyFileOf(from, institution), keyFileOf(staging, institution))
}

/** The institution's deployment at this origin, entered by a set-up that was interrupted, or else the next free name. */
function deploymentFor(state: RegistryState, { origin, institution }: JoiningHome): DeploymentId {
  for (const record of recordsIn(state)) {
    if (record.kind !== 'deployment' || record.origin !== origin) continue
    if (record.institution === institution) return record.id
    throw refuse(
      'ALREADY_EXISTS',
      `the registry has another institution's deployment at ${origin}`,
      'choose another port: --port PORT',
    )
  }
  for (let number = 2; ; number++) {
    const id = asDeploymentId(`home-${number}`)
    if (getRecord(state, `deployment/${id}`) === null) return id
  }
}

async function enter(
  connection: Connection,
  institution: Institution,
  { deployment: id, origin }: { readonly deployment: DeploymentId; readonly origin: string },
  head: Signer,
): Promise<void> {
  const deployment = {
    v: 1 as const,
    kind: 'deployment' as const,
    id,
    institution: institution.id,
    origin,
    kid: head.kid,
  }
  const key = keyRecord(head.publicKey, 'head', { deployment: id })
  await addChange(connection, institution, { act: 'deploy', deployment, key }, (state) => {
    const record = getRecord(state, `deployment/${id}`)
    return record?.kind === 'deployment' && record.kid === head.kid
  })
}

/** The registry as it was verified, which the home begins with. */
async function keepRegistry(platform: Platform, { sync, ports }: Connection): Promise<void> {
  const blocks = sync.registry.blocks()
  for (const [height, compact] of blocks.entries())
    await platform.table('registry').insert(REGISTRY_PARTITION, heightKey(height), utf8(compact))
  await noteContact(
    { tables: { following: platform.table('following') } },
    { v: 1, seen: toTimestamp(ports.now()), failed: null },
  )
}
