// SPDX-License-Identifier: Apache-2.0
import type { Home } from '../../block/block.ts'
import type { ChainId, DeploymentId, Digest, InstitutionId, Kid } from '../../bytes/ids.ts'
import { timestampMs, type Timestamp } from '../../bytes/timestamp.ts'
import { verifyJws } from '../../block/jws.ts'
import { bridgeStore, isStoreOf, mirrorStore, parseErased, type ErasedStatement } from '../../api/erased.ts'
import type { Verifiers } from '../../crypto/signature.ts'
import { isAmpereError } from '../../errors.ts'
import type { PublicJwk } from '../../ports/keys.ts'
import { headKeyAt, keyRecordOf, recordOf, type RegistryView } from '../../registry/snapshot.ts'
import type { KeyRecord } from '../../registry/records.ts'
import type { CompletedErasure } from '../client.ts'
import type { HolderSpan } from './replica.ts'

/** How far an erasure is: `erased` once every holder has said so and the last backup has expired. */
export interface ErasureProgress {
  readonly height: number
  readonly status: 'erasing' | 'erased'
  /** Stores whose statement is there, and those that owe one. */
  readonly stated: readonly string[]
  readonly owing: readonly string[]
  /** When the last stated backup expires; null while nobody has stated anything. */
  readonly backupsExpire: Timestamp | null
}

/** What judging statements needs; the same for a replica and for an exported file. */
export interface ErasureContext {
  readonly chain: ChainId
  /** The newest registry that the verifier has, and the key of any `kid` that it ever certified. */
  readonly records: RegistryView
  readonly readers: readonly HolderSpan[]
  readonly verifiers: Verifiers
}

/** Statements that verify, by the block that ordered the erasure. A statement that does not is none. */
export async function verifiedStatements(
  context: ErasureContext,
  compacts: readonly string[],
): Promise<ReadonlyMap<Digest, readonly ErasedStatement[]>> {
  const checked = await Promise.all(compacts.map((compact) => verifyStatement(context, compact)))
  const byBlock = new Map<Digest, ErasedStatement[]>()
  for (const erased of checked) {
    if (!erased) continue
    const block = erased.block as string as Digest
    byBlock.set(block, [...(byBlock.get(block) ?? []), erased])
  }
  return byBlock
}

/** How far each erasure is at `nowMs`. */
export function erasureProgress(
  context: Pick<ErasureContext, 'records' | 'readers'>,
  erasures: readonly CompletedErasure[],
  statements: ReadonlyMap<Digest, readonly ErasedStatement[]>,
  nowMs: number,
): readonly ErasureProgress[] {
  return erasures.map((erasure) => {
    const holders = holdersOf(context, erasure)
    // What another institution says of a copy that it never had must not keep an erasure open.
    const given = (statements.get(erasure.id as string as Digest) ?? []).filter(({ store }) =>
      holders.includes(store),
    )
    const stated = holders.filter((store) => given.some((statement) => statement.store === store))
    const owing = holders.filter((store) => !stated.includes(store))
    const [last] = given.map(({ backupsExpire }) => backupsExpire).toSorted((a, b) => (a < b ? 1 : -1))
    const isGone = owing.length === 0 && last !== undefined && timestampMs(last) <= nowMs
    return {
      height: erasure.height,
      status: isGone ? 'erased' : 'erasing',
      stated,
      owing,
      backupsExpire: last ?? null,
    }
  })
}

/**
 * Every home where the chain was at any time since the oldest erased entry, the bridge of every institution that could
 * read, and the mirror of every one that could hold. A home that was left keeps its copy, until its deployment is retired; that
 * where the chain is now is never passed over.
 */
function holdersOf(
  { records, readers }: Pick<ErasureContext, 'records' | 'readers'>,
  { body, height }: CompletedErasure,
): readonly string[] {
  const oldest = body.scope === 'record' ? 0 : Math.min(...body.targets.map((target) => target.height))
  const spans = readers.filter(
    (span, i) => span.height < height && (readers[i + 1]?.height ?? height) > oldest,
  )
  const now = readers.at(-1)?.home
  const isGone = (home: Home) => home.origin !== now?.origin && isRetired(records, home)
  const homes = new Set(spans.flatMap(({ home }) => (isGone(home) ? [] : [home.origin])))
  const bridges = new Set(spans.flatMap((span) => span.institutions))
  const mirrors = new Set(spans.flatMap((span) => span.mirrors))
  return [
    ...homes,
    ...[...bridges].toSorted().map((id) => bridgeStore(id as InstitutionId)),
    ...[...mirrors].toSorted().map((id) => mirrorStore(id as InstitutionId)),
  ]
}

/** With the key of its deployment retired, and no other in its place, its institution says that its stores are destroyed. */
function isRetired(records: RegistryView, { deployment, origin }: Home): boolean {
  const record = recordOf(records, 'deployment', deployment)
  return record?.origin === origin && keyRecordOf(records, record.kid)?.revoked?.reason === 'retired'
}

async function verifyStatement(context: ErasureContext, compact: string): Promise<ErasedStatement | null> {
  try {
    const { jws, erased } = parseErased(compact)
    const key = erased.chain === context.chain ? keyFor(context, jws.kid, erased.store) : null
    if (!key) return null
    await verifyJws(jws, key, context.verifiers)
    return erased
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}

function isKeyOf(record: KeyRecord | null, deployment: DeploymentId): boolean {
  return record !== null && 'deployment' in record.owner && record.owner.deployment === deployment
}

/** The key that may speak for a store: the head key of a home where the chain was, or an instance's of the institution whose bridge or mirror it is. */
function keyFor({ records, readers }: ErasureContext, kid: Kid, store: string): PublicJwk | null {
  const record = keyRecordOf(records, kid)
  const spans = readers.filter(({ home }) => home.origin === store)
  if (spans.length > 0) {
    // An origin may be another deployment's by now, which never had the chain.
    const isItsOwn = spans.some(({ home }) => isKeyOf(record, home.deployment))
    return isItsOwn ? headKeyAt(records, kid, store) : null
  }
  if (record?.use !== 'sign' || !('instance' in record.owner)) return null
  // A key that was retired since may have signed while it was in use; one that was stolen speaks for nobody.
  if (record.revoked?.reason === 'compromised') return null
  const { institution } = record.owner
  return recordOf(records, 'institution', institution) && isStoreOf(institution, store) ? record.jwk : null
}
