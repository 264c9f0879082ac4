// SPDX-License-Identifier: Apache-2.0
import { fromBase64url } from '../../bytes/encoding.ts'
import type { ChainId } from '../../bytes/ids.ts'
import { parseBlock, type ParsedBlock } from '../../block/open-block.ts'
import { digestOf } from '../../crypto/hash.ts'
import { AmpereError, isAmpereError } from '../../errors.ts'
import { broke } from '../copy/copy-chain.ts'
import type { HomeSource } from '../copy/source.ts'
import { partNames } from '../store/attempt.ts'
import type { RestorePorts } from './needs.ts'
import { leafFinder, type LeafFinder } from './restore-leaves.ts'
import type { RestoredLog } from './restore-log.ts'

/** Blocks of one chain that a copy may have beyond the log: an honest one has those of the last minutes, or of a log that stood still. */
const MAX_UNLOGGED = 100_000

/**
 * Where the blocks of a chain are in the log, stored before its blocks are, so that none is ever logged twice. Blocks are
 * compared with what the log signed here, and verified when they are copied; so a source that makes them up ends here.
 * @returns the height of the first block that the log has and the source has not; null where it has all
 * @throws AmpereError UPSTREAM_FAILED for pages without end; VERIFICATION_FAILED: rule malformed for what is not the next block, log-forked
 */
export async function restoreLeaves(
  source: HomeSource,
  ports: RestorePorts,
  log: RestoredLog,
  chain: ChainId,
): Promise<number | null> {
  const leaves: LeafFinder = leafFinder(log, chain)
  let labelKey: Uint8Array = new Uint8Array(0)
  let [height, unlogged] = [0, 0]
  for (;;) {
    const page = await source.blocks(chain, height)
    for (const compact of page.items) {
      const parsed = parsedAt(chain, height, compact)
      const brought = await labelBrought(source, chain, parsed)
      // A block is labelled by the key of the state before it; a genesis by its own.
      if (height === 0) labelKey = brought ?? labelKey
      if (!leaves.next(labelKey, compact) && ++unlogged > MAX_UNLOGGED) throw endless(chain)
      labelKey = brought ?? labelKey
      height++
    }
    if (page.next === null || page.items.length === 0) break
    if (page.next !== height) throw endless(chain)
  }
  const isLost = height > 0 && leaves.hasLostNext(labelKey)
  await leaves.store(ports.tables.leaves)
  return isLost ? height : null
}

function parsedAt(chain: ChainId, height: number, compact: string): ParsedBlock {
  try {
    const parsed = parseBlock(compact)
    if (parsed.chain !== chain || parsed.block.height !== height)
      throw broke('malformed', chain, height, 'another block is in its place')
    return parsed
  } catch (cause) {
    if (isAmpereError(cause, 'VERIFICATION_FAILED')) throw cause
    throw new AmpereError('VERIFICATION_FAILED', `rule malformed: chain ${chain}, block ${height}`, { cause })
  }
}

/** The label key that a block brings; without it nobody could log the chain any further. */
async function labelBrought(
  source: HomeSource,
  chain: ChainId,
  { block }: ParsedBlock,
): Promise<Uint8Array | null> {
  const { label } = partNames(block)
  if (label === null) return null
  const { labelKey } = await source.blockKeys(chain, block.height)
  const key = fromBase64url(labelKey ?? '')
  if (digestOf(key) === label) return key
  throw broke('label-key', chain, block.height, 'the label key is missing or another')
}

function endless(chain: ChainId): AmpereError {
  return new AmpereError('UPSTREAM_FAILED', `the copy pages through chain ${chain} without end`)
}
