// SPDX-License-Identifier: Apache-2.0
import { parseJws } from '#core/block/jws.ts'
import { logOriginOf, witnessNameOf } from '#core/api/log.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { asInstitutionId, type DeploymentId, type Digest } from '#core/bytes/ids.ts'
import { thumbprint } from '#core/crypto/jwk.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import type { Signer } from '#core/ports/keys.ts'
import { select, type Platform } from '#core/ports/needs.ts'
import { buildRegistry, keyRecord } from '#core/registry/build.ts'
import type { FoundingRecord } from '#core/registry/records.ts'
import { recordOf } from '#core/registry/snapshot.ts'
import type { Home } from '#core/server/home.ts'
import { addRegistryBlock, REGISTRAR_NEEDS } from '#core/server/registrar.ts'
import { logKeys } from '#core/server/sequence/tree.ts'
import { createRegistrySource, REGISTRY_PARTITION } from '#core/server/store/registry.ts'
import { heightKey } from '#core/server/store/rows.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'

/** What a new home is. */
export interface NewHome {
  readonly deployment: DeploymentId
  readonly origin: string
  readonly durability: Home['durability']
  /** Whose home it is. */
  readonly owner: string
  readonly demo: boolean
  /** What the founding institutions say of themselves, and their root keys. */
  readonly records: readonly FoundingRecord[]
  readonly founders: readonly Signer[]
}

/** What others need to know of a home. */
export interface FoundedHome {
  readonly registry: Digest
  /** Verifier keys of its log and of its witness (c2sp.org/signed-note). */
  readonly log: readonly string[]
  readonly witness: readonly string[]
}

/**
 * Makes a home on a platform: the keys that it signs with, and the registry, whose first block names its founders and the home. Where
 * a registry is there already it stays, so that a set-up that was interrupted goes on.
 * @throws AmpereError CONFIGURATION when there is no institution, ALREADY_EXISTS for a registry that names another home
 */
export async function foundHome(platform: Platform, what: NewHome): Promise<FoundedHome> {
  if (what.founders.length === 0)
    throw new AmpereError('CONFIGURATION', 'a deployment needs at least one institution')
  const stored = await platform.table('registry').get(REGISTRY_PARTITION, heightKey(0))
  const genesis = stored ? fromUtf8(stored.value) : await makeGenesis(platform, what)
  const registry = parseJws(genesis, 'ampere-registry+jws').id
  const verifiers = createVerifiers()
  const home: Home = {
    deployment: what.deployment,
    origin: what.origin,
    durability: what.durability,
    backupDays: 0,
    registry: createRegistrySource(platform.table('registry'), registry, verifiers),
    verifiers,
  }
  if (stored) await checkSame(home, what)
  else await addRegistryBlock(await select(platform, REGISTRAR_NEEDS), home, genesis)
  return { registry, ...(await publicKeysOf(platform, what.origin)) }
}

/** The keys with which a home of this origin signs its log and, for others, as a witness. */
export async function publicKeysOf(
  platform: Platform,
  origin: string,
): Promise<Pick<FoundedHome, 'log' | 'witness'>> {
  const log = logKeys(await select(platform, SEQUENCER_NEEDS), logOriginOf(origin))
  const witness = witnessKeys(await select(platform, WITNESS_NEEDS), witnessNameOf(origin))
  return { log: log.map(formatVerifierKey), witness: witness.map(formatVerifierKey) }
}

async function makeGenesis(platform: Platform, what: NewHome): Promise<string> {
  const records = [...what.records, ...homeRecords(what, await platform.signer('head'))]
  return buildRegistry({ now: platform.now, random: platform.random }, records, what.founders)
}

function homeRecords({ owner, deployment, origin, demo }: NewHome, head: Signer): FoundingRecord[] {
  return [
    { v: 1, kind: 'deployment', id: deployment, institution: asInstitutionId(owner), origin, kid: head.kid },
    keyRecord(head.publicKey, 'head', { deployment }),
    { v: 1, kind: 'rules', home: deployment, demo },
  ]
}

/** That the registry is of this home, and that whoever goes on with it has a root key of it. */
async function checkSame(home: Home, { deployment, origin, records, founders }: NewHome): Promise<void> {
  const newest = (await home.registry.refresh()).newest()
  const known = recordOf(newest, 'deployment', deployment)
  const roots = records.flatMap((record) => {
    const member = record.kind === 'institution' ? recordOf(newest, 'institution', record.id) : null
    return member ? [thumbprint(member.root)] : []
  })
  if (known?.origin === origin && founders.some(({ kid }) => roots.includes(kid))) return
  throw new AmpereError(
    'ALREADY_EXISTS',
    'the stores hold the registry of another home, and nothing is overwritten',
  )
}
