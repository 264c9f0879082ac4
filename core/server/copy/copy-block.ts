// SPDX-License-Identifier: Apache-2.0
import { fromBase64url, utf8 } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import type { BlockEntries, EraseBlock } from '../../block/block.ts'
import { maxObjectBytes } from '../../block/entries-object.ts'
import type { ParsedBlock } from '../../block/open-block.ts'
import { packagesRoot } from '../../block/packages.ts'
import { stateBytes, type Link } from '../../chain/state.ts'
import { digestOf } from '../../crypto/hash.ts'
import { isAmpereError } from '../../errors.ts'
import { checkObject } from '../append/parts.ts'
import { partNames } from '../store/attempt.ts'
import { erasureJob, JOBS_ERASE } from '../store/jobs.ts'
import {
  chainPartition,
  heightKey,
  heldPartition,
  holdersPutBy,
  objectName,
  packageRowKey,
} from '../store/rows.ts'
import type { HomeStores } from './stores.ts'
import { copyRow } from './copy-row.ts'
import type { Gap, GapRule } from './gaps.ts'
import type { HomeSource } from './source.ts'

/**
 * Copies a verified block with all its parts, each checked against what the block names, the block last: so a block that
 * is in the copy has everything that its source had.
 * @returns what the source did not have, noted by `note` before the block is stored
 */
export async function copyBlock(
  source: HomeSource,
  to: HomeStores,
  link: Link,
  note: (gap: Gap) => Promise<void>,
): Promise<void> {
  const { block, chain, id, compact } = link.opened
  for (const gap of await copyParts(source, to, link)) await note(gap)
  if (block.type !== 'record') await to.tables.states.insert(chain, block.state, stateBytes(link.state))
  if (block.type === 'genesis') await to.tables.chains.insert(chainPartition(chain), chain, new Uint8Array(0))
  for (const institution of holdersPutBy(block))
    await to.tables.chains.insert(heldPartition(institution), chain, new Uint8Array(0))
  if (block.type === 'erase' && block.body.act === 'complete')
    await to.tables.jobs.insert(JOBS_ERASE, erasureJob(chain, block.height), utf8(id))
  await to.tables.blocks.insert(chain, heightKey(block.height), utf8(compact))
}

/**
 * Copies those parts of a block that the copy lacks.
 * @param erasures completed ones of the whole chain, which alone explain destroyed keys; none while it is being copied
 * @returns what the source does not have either
 */
export async function copyParts(
  source: HomeSource,
  to: HomeStores,
  { opened }: Pick<Link, 'opened'>,
  erasures: readonly ParsedBlock<EraseBlock>[] = [],
): Promise<readonly Gap[]> {
  const { block, chain } = opened
  const { height, entries } = block
  const rules: (GapRule | null)[] = []
  if (entries) {
    // The object tells which key is which.
    const object = await copyObject(source, to, chain, entries)
    rules.push(await copyRow(source, to, { chain, height, entries }, erasures), object)
  }
  const { packages, label } = partNames(block)
  if (packages !== null || label !== null) {
    const keys = await source.blockKeys(chain, height)
    if (label !== null) {
      const key = fromBase64url(keys.labelKey ?? '')
      if (digestOf(key) === label) await to.tables.labels.insert(chain, label, key)
      else rules.push('label-key')
    }
    if (packages !== null) {
      const isSame = keys.packages.length > 0 && packagesRoot(keys.packages) === packages
      if (!isSame) rules.push('packages-root')
      for (const item of isSame ? keys.packages : [])
        await to.tables.packages.insert(chain, packageRowKey(packages, item), utf8(JSON.stringify(item)))
    }
  }
  return rules.flatMap((rule) => (rule === null ? [] : [{ chain, height, rule }]))
}

async function copyObject(
  source: HomeSource,
  { objects }: HomeStores,
  chain: ChainId,
  entries: BlockEntries,
): Promise<GapRule | null> {
  const name = objectName(chain, entries.root)
  if (await objects.entries.fetch(name, { start: 0, end: 1 })) return null
  const bytes = await source.object(chain, entries.root, maxObjectBytes(entries))
  if (!bytes) return 'object'
  try {
    await checkObject(entries, bytes)
  } catch (error) {
    if (isAmpereError(error)) return 'entries-root'
    throw error
  }
  await objects.entries.store(name, bytes)
  return null
}
