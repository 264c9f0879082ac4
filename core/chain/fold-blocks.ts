// SPDX-License-Identifier: Apache-2.0
import type { ChainId, Kid } from '../bytes/ids.ts'
import type { RegistryHead } from '../block/block.ts'
import { openBlock, parseBlock, type KeyOf, type OpenedBlock, type ParsedBlock } from '../block/open-block.ts'
import { isViolation, violation, type Violation } from '../block/violation.ts'
import type { Verifiers } from '../crypto/signature.ts'
import { AmpereError } from '../errors.ts'
import type { PublicJwk } from '../ports/keys.ts'
import type { RegistryView } from '../registry/snapshot.ts'
import { applyBlock } from './apply-block.ts'
import { deviceKeys, listingAfter, type Listing } from './devices.ts'
import type { Link } from './state.ts'

/** What judging blocks needs: the registry at any head, its keys, and imported public keys. */
export interface FoldContext {
  readonly chain: ChainId
  readonly viewAt: (head: RegistryHead) => RegistryView | null
  readonly keyOf: KeyOf
  readonly verifiers: Verifiers
}

/** Links that hold, and what is wrong with the block after the last of them, if anything. */
export interface Folded {
  readonly links: readonly Link[]
  readonly broken: { readonly height: number; readonly violation: Violation } | null
}

/** Blocks whose signatures are in the pool of WebCrypto at the same time: enough to keep it busy. */
const TOGETHER = 64

/**
 * Verifies consecutive blocks. While the signatures of some are in the pool of WebCrypto, the next are parsed and
 * the ones before are judged by the rules, in order. Call it page by page; memory stays that of a page.
 */
export async function foldBlocks(
  parent: Link | null,
  compacts: readonly string[],
  context: FoldContext,
): Promise<Folded> {
  const first = parent ? parent.opened.block.height + 1 : 0
  const { parse, open } = opener(parent, context)
  const links: Link[] = []
  let before = parent
  let parsed = parse(compacts.slice(0, TOGETHER))
  let opened: readonly (OpenedBlock | Violation)[] = []
  for (let at = TOGETHER; parsed.length > 0 || opened.length > 0; at += TOGETHER) {
    const opening = open(parsed)
    for (const block of opened) {
      const link = isViolation(block) ? block : next(before, block, context)
      if (isViolation(link)) {
        await opening
        return { links, broken: { height: first + links.length, violation: link } }
      }
      links.push(link)
      before = link
    }
    parsed = parse(compacts.slice(at, at + TOGETHER))
    opened = await opening
  }
  return { links, broken: null }
}

type Parsed = readonly (ParsedBlock | Violation)[]

/**
 * Parses blocks in order and checks signatures, each block's with the keys of the devices that the state before it
 * and the block itself list: so that the rule that a block breaks does not depend on how blocks are paged.
 */
function opener(parent: Link | null, context: FoldContext) {
  let listing: Listing = parent?.state ?? { controllers: null, recovery: null }
  let devices = deviceKeys([listing])
  const keysFor = (block: ParsedBlock): KeyOf => {
    // Most blocks list nobody, and share one map.
    const known = block.block.type === 'record' ? devices : deviceKeys([listing, block])
    const after = listingAfter(listing, block)
    if (after !== listing) [listing, devices] = [after, deviceKeys([after])]
    return (kid: Kid): PublicJwk | null => known.get(kid) ?? context.keyOf(kid)
  }
  return {
    parse: (compacts: readonly string[]): Parsed => compacts.map(parseOrViolation),
    open: (parsed: Parsed): Promise<(OpenedBlock | Violation)[]> =>
      Promise.all(
        parsed.map(async (block) =>
          isViolation(block) ? block : openOrViolation(block, keysFor(block), context),
        ),
      ),
  }
}

function next(before: Link | null, opened: OpenedBlock, context: FoldContext): Link | Violation {
  if (opened.chain !== context.chain) return violation('chain', 'the block is of another chain')
  const records = context.viewAt(opened.block.registry)
  if (!records) return violation('registry-head', 'the block names a registry head that does not exist')
  return applyBlock(before, opened, records)
}

function parseOrViolation(compact: string): ParsedBlock | Violation {
  try {
    return parseBlock(compact)
  } catch (error) {
    if (error instanceof AmpereError) return violation('malformed', error.message)
    throw error
  }
}

async function openOrViolation(
  block: ParsedBlock,
  keyOf: KeyOf,
  context: FoldContext,
): Promise<OpenedBlock | Violation> {
  try {
    return await openBlock(block, keyOf, context.verifiers)
  } catch (error) {
    if (error instanceof AmpereError) return violation('signature', error.message)
    throw error
  }
}
