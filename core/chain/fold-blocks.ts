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
import { deviceKeys } from './devices.ts'
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

/** Parses blocks in order and checks signatures, with the keys of the devices that the chain lists so far. */
function opener(parent: Link | null, context: FoldContext) {
  const devices = deviceKeys([parent?.state.controllers ?? null])
  const keyOf: KeyOf = (kid: Kid): PublicJwk | null => devices.get(kid) ?? context.keyOf(kid)
  return {
    parse: (compacts: readonly string[]): Parsed => compacts.map(parseOrViolation),
    open: (parsed: Parsed): Promise<(OpenedBlock | Violation)[]> => {
      for (const [kid, jwk] of deviceKeys(parsed.filter(isParsed))) devices.set(kid, jwk)
      return Promise.all(parsed.map((block) => openOrViolation(block, keyOf, context)))
    },
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
  block: ParsedBlock | Violation,
  keyOf: KeyOf,
  context: FoldContext,
): Promise<OpenedBlock | Violation> {
  if (isViolation(block)) return block
  try {
    return await openBlock(block, keyOf, context.verifiers)
  } catch (error) {
    if (error instanceof AmpereError) return violation('signature', error.message)
    throw error
  }
}

function isParsed(block: ParsedBlock | Violation): block is ParsedBlock {
  return !isViolation(block)
}
