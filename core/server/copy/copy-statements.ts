// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { verifyJws } from '../../block/jws.ts'
import { isStoreOf, parseErased } from '../../api/erased.ts'
import { isAmpereError } from '../../errors.ts'
import { headKeyAt, keyRecordOf } from '../../registry/snapshot.ts'
import { erasedRow } from '../store/rows.ts'
import type { HomeStores } from './stores.ts'
import { erasuresIn, type CopyContext } from './copy-chain.ts'
import type { HomeSource } from './source.ts'

/**
 * Copies the statements that a chain's erasures were carried out. One that its holder did not sign is passed over.
 * @param own origin of the home into whose stores they go
 */
export async function copyStatements(
  source: HomeSource,
  to: HomeStores,
  context: CopyContext,
  chain: ChainId,
  own: string = context.home.origin,
): Promise<void> {
  const heights = new Map((await erasuresIn(to, chain)).map(({ id, block }) => [id as string, block.height]))
  for (const compact of await source.erased(chain)) {
    const place = await placeOf(context, own, chain, heights, compact)
    if (place !== null) await to.tables.receipts.insert(chain, place, utf8(compact))
  }
}

/** The row key of a good statement: the home's own has no holder in it. */
async function placeOf(
  { registry, verifiers }: CopyContext,
  own: string,
  chain: ChainId,
  heights: ReadonlyMap<string, number>,
  compact: string,
): Promise<string | null> {
  try {
    const { jws, erased } = parseErased(compact)
    const height = heights.get(erased.block)
    const key = keyRecordOf(registry.newest(), jws.kid)
    if (!key || height === undefined || erased.chain !== chain) return null
    await verifyJws(jws, key.jwk, verifiers)
    if (headKeyAt(registry.newest(), jws.kid, erased.store))
      return erasedRow(height, erased.store === own ? null : erased.store)
    const isTheirs = 'institution' in key.owner && isStoreOf(key.owner.institution, erased.store)
    return key.use === 'sign' && isTheirs ? erasedRow(height, erased.store) : null
  } catch (error) {
    if (isAmpereError(error)) return null
    throw error
  }
}
