// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { parseJws } from '#core/block/jws.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import type { Random } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import { buildRegistry, keyRecord } from '#core/registry/build.ts'
import type { RegistryRecord } from '#core/registry/records.ts'
import { addRegistryBlock, REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { foundingRecords, openInstitution } from './institution.ts'
import { passphraseOf, writeSettings, type Settings } from './settings.ts'

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** What a new local deployment consists of. */
export interface NewDeployment {
  readonly origin: string
  readonly institutions: readonly { readonly id: string; readonly name: string }[]
  readonly demo: boolean
}

/**
 * Makes the keys, the registry with all institutions as founders, and the settings of a data folder.
 * @throws AmpereError CONFIGURATION when there is no institution
 */
export async function setUp(folder: string, what: NewDeployment): Promise<Settings> {
  const [first] = what.institutions
  if (!first) throw new AmpereError('CONFIGURATION', 'a deployment needs at least one institution')
  const passphrase = passphraseOf(folder)
  const platform = openLocal({ folder: join(folder, 'home'), passphrase })
  try {
    const opened = await Promise.all(
      what.institutions.map(async ({ id, name }) => ({
        institution: await openInstitution(folder, id, passphrase),
        name,
      })),
    )
    const head = await platform.signer('head')
    const deployment = asDeploymentId('home-1')
    const records: RegistryRecord[] = []
    for (const { institution, name } of opened) records.push(...(await foundingRecords(institution, name)))
    const [{ institution: owner } = { institution: null }] = opened
    if (!owner) throw new AmpereError('CONFIGURATION', 'a deployment needs at least one institution')
    records.push(
      { v: 1, kind: 'deployment', id: deployment, institution: owner.id, origin: what.origin, kid: head.kid },
      keyRecord(head.publicKey, 'head', { deployment }),
      { v: 1, kind: 'rules', home: deployment, demo: what.demo },
    )
    const founders = opened.map(({ institution }) => institution.root)
    const genesis = await buildRegistry({ now: () => Date.now(), random }, records, founders)
    const registry = parseJws(genesis, 'ampere-registry+jws').id
    const verifiers = createVerifiers()
    const home = {
      deployment,
      origin: what.origin,
      durability: 'local' as const,
      backupDays: 0,
      registry: createRegistrySource(platform.table('registry'), registry, verifiers),
      verifiers,
    }
    await addRegistryBlock(await select(platform, REGISTRAR_NEEDS), home, genesis)
    const institutions = what.institutions.map(({ id }) => id)
    const settings: Settings = { v: 1, registry, deployment, origin: what.origin, institutions, demo: null }
    writeSettings(folder, settings)
    return settings
  } finally {
    await platform.close()
  }
}
