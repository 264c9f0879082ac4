// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toBase64url } from '../../bytes/encoding.ts'
import { asChainId, type ChainId } from '../../bytes/ids.ts'
import type { BlockKeysAnswer, HeldAnswer, MovedAnswer, NotesAnswer } from '../../api/answers.ts'
import { MAX_PAGE_HELD, MAX_PAGE_NOTES } from '../../api/limits.ts'
import { AmpereError } from '../../errors.ts'
import { mayHold, type Caller } from '../authenticate.ts'
import { findChain, type ReaderPorts } from './read-chain.ts'
import { partNames } from '../store/attempt.ts'
import { WITNESSED_PARTITION } from '../store/log.ts'
import { movedPage } from '../store/moved-receipts.ts'
import { fitting } from '../store/page.ts'
import {
  heightKey,
  heldPartition,
  loadBlock,
  loadHead,
  loadState,
  parsePackage,
  rangeUnder,
} from '../store/rows.ts'

/**
 * A page of the chains that the caller's institution may hold at this moment, each with the height of its newest block,
 * so that a mirror asks for nothing that it has. A page may be empty and not be the last.
 */
export async function listHeld(
  ports: ReaderPorts,
  caller: Caller,
  from: ChainId | null,
): Promise<HeldAnswer> {
  if (caller.institution === null) return { items: [], next: null }
  const rows = await ports.tables.chains.range(heldPartition(caller.institution), {
    ...(from === null ? {} : { from }),
    limit: MAX_PAGE_HELD + 1,
  })
  const items: HeldAnswer['items'] = []
  for (const { key } of rows.slice(0, MAX_PAGE_HELD)) {
    const chain = asChainId(key)
    // A row comes before the block that grants: without a chain, or without the grant, it says nothing.
    const head = await loadHead(ports.tables.blocks, chain)
    const state = head && (await loadState(ports.tables.states, chain, head.block.state))
    if (state && mayHold(caller, state, ports.now())) items.push({ chain, height: head.block.height })
  }
  const next = rows[MAX_PAGE_HELD]
  return { items, next: next ? asChainId(next.key) : null }
}

/**
 * Everything that a block brought beside its entries: all its packages, whoever they are for, and the label key.
 * A mirror that holds no seed opens none of them. @throws AmpereError NOT_FOUND, FORBIDDEN for who may not hold
 */
export async function readBlockKeys(
  ports: ReaderPorts,
  chain: ChainId,
  height: number,
  caller: Caller,
): Promise<BlockKeysAnswer> {
  const { state } = await findChain(ports, chain)
  if (!mayHold(caller, state, ports.now()))
    throw new AmpereError('FORBIDDEN', 'only who is granted to hold the chain gets all of its packages')
  const stored = await loadBlock(ports.tables.blocks, chain, height)
  if (!stored) throw new AmpereError('NOT_FOUND', 'the chain has no such block')
  const { packages, label } = partNames(stored.block)
  // At most 512 packages come with a block; a range gives up to 1,000.
  const rows = packages === null ? [] : await ports.tables.packages.range(chain, rangeUnder(packages))
  const labelKey = label === null ? null : await ports.tables.labels.get(chain, label)
  return {
    packages: rows.flatMap((row) => parsePackage(row.value) ?? []),
    labelKey: labelKey && toBase64url(labelKey.value),
  }
}

/**
 * A page of the receipts that are kept of the logs of homes that a chain left, for a copy from which this home can give them again.
 * @throws AmpereError NOT_FOUND, FORBIDDEN for who may not hold, STORE_CORRUPT
 */
export async function readMoved(
  ports: ReaderPorts,
  chain: ChainId,
  from: number,
  caller: Caller,
): Promise<MovedAnswer> {
  const { state } = await findChain(ports, chain)
  if (!mayHold(caller, state, ports.now()))
    throw new AmpereError('FORBIDDEN', 'only who is granted to hold the chain gets all of its kept receipts')
  return movedPage(ports.tables.receipts, chain, from)
}

/** A page of the checkpoints that had the quorum of this home's witnesses, by size: what its first receipts are made with. */
export async function readWitnessed(
  ports: { readonly tables: Pick<ReaderPorts['tables'], 'checkpoints'> },
  from: number,
): Promise<NotesAnswer> {
  const rows = await ports.tables.checkpoints.range(WITNESSED_PARTITION, {
    from: heightKey(from),
    limit: MAX_PAGE_NOTES + 1,
  })
  const items = [...fitting(rows.slice(0, MAX_PAGE_NOTES).map((row) => fromUtf8(row.value)))]
  const next = rows[items.length]
  return { items, next: next ? Number(next.key) : null }
}
