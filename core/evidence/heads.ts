// SPDX-License-Identifier: Apache-2.0
import { timestampMs } from '../bytes/timestamp.ts'
import { parseHead, type HeadStatement } from '../api/head.ts'
import { CLOCK_TOLERANCE_MS } from '../api/limits.ts'
import { verifyJws } from '../block/jws.ts'
import { parseBlock } from '../block/open-block.ts'
import { brokenRule } from '../errors.ts'
import type { EvidenceOf } from './format.ts'
import type { Trusted } from './trust.ts'

/**
 * How much later than the higher head the lower one must have been stated, in milliseconds. A home reads its newest block
 * and then the clock, and its functions run on several computers: two honest statements of one moment may come in the
 * other order.
 */
export const ROLLBACK_MARGIN_MS = CLOCK_TOLERANCE_MS

/** Two head statements of one deployment, as a home or as a mirror, that cannot both be true. @returns what is proved */
export async function judgeHeads(
  { origin, statements, links }: EvidenceOf<'heads'>,
  trusted: Trusted,
): Promise<string> {
  const [a, b] = await Promise.all([
    openStatement(statements[0], origin, trusted),
    openStatement(statements[1], origin, trusted),
  ])
  if (a.chain !== b.chain) throw brokenRule('conflict', 'the head statements are of two chains')
  const who = [a, b].every(({ durability }) => durability === 'mirrored') ? 'mirror' : 'home'
  const where = `the ${who} at ${origin} signed, of chain ${a.chain},`
  if (a.height === b.height) {
    if (links.length > 0) throw brokenRule('links', 'heads of one height have no blocks between them')
    if (a.block === b.block) throw brokenRule('conflict', 'both head statements name the same block')
    return `${where} two different blocks as the head at height ${a.height}: a fork`
  }
  const [low, high] = a.height < b.height ? [a, b] : [b, a]
  if (links.length > 0) {
    checkLinks(links, low, high)
    return `${where} a head at height ${low.height} that is not in the history of the head that it signed at height ${high.height}: a fork`
  }
  if (timestampMs(low.time) <= timestampMs(high.time) + ROLLBACK_MARGIN_MS)
    throw brokenRule(
      'conflict',
      `the lower head was not stated more than ${ROLLBACK_MARGIN_MS} ms after the higher`,
    )
  return `${where} height ${high.height} at ${high.time} and only height ${low.height} at ${low.time}: a rollback`
}

/** Opens a head statement of the home at `origin`. @throws AmpereError VERIFICATION_FAILED and those of `parseHead` */
export async function openStatement(
  compact: string,
  origin: string,
  { registry, verifiers }: Trusted,
): Promise<HeadStatement> {
  const { jws, head } = parseHead(compact)
  if (head.origin !== origin) throw brokenRule('origin', 'a head statement is of another origin')
  const key = registry?.headKey(jws.kid, origin)
  if (!key)
    throw brokenRule('head-key', 'a head statement is signed by no key of a deployment at this origin')
  await verifyJws(jws, key, verifiers)
  return head
}

/**
 * The blocks above the lower head up to the higher one, which names them by their hashes: so their own signatures say
 * nothing more.
 */
function checkLinks(links: readonly string[], low: HeadStatement, high: HeadStatement): void {
  const blocks = links.map(parseBlock)
  if (blocks.length !== high.height - low.height || blocks.at(-1)?.id !== high.block)
    throw brokenRule('links', 'the blocks do not lead from the lower head to the higher')
  for (const [i, { block, chain }] of blocks.entries()) {
    if (block.type === 'genesis' || chain !== low.chain || block.height !== low.height + 1 + i)
      throw brokenRule('links', 'a block is not the next of this chain')
    const before = blocks[i - 1]
    if (before && block.prev !== before.id)
      throw brokenRule('links', 'a block does not name the one before it')
    if (!before && block.prev === low.block)
      throw brokenRule('conflict', 'the higher head continues the lower one')
  }
}
