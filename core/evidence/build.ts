// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../bytes/encoding.ts'
import type { Digest } from '../bytes/ids.ts'
import { parseHead } from '../api/head.ts'
import { parseBlock } from '../block/open-block.ts'
import { checkpointIn } from '../log/note/checkpoint.ts'
import { formatEvidence, type EvidenceOf } from './format.ts'

/**
 * Writes evidence of each kind. Nothing is judged: who keeps a file asks `verifyEvidence` first. What is symmetric is
 * put in one order, so that the same two statements make the same file whoever meets them.
 */
interface OfRegistry {
  /** Origin of the home. */
  readonly origin: string
  readonly registry: { readonly id: Digest; readonly blocks: readonly string[] }
}
interface OfLog {
  /** Origin of the log. */
  readonly origin: string
  /** Verifier keys of the log. */
  readonly log: readonly string[]
}
type Two<T> = readonly [T, T]

/** Two head statements; `links` are the blocks above the lower one up to the higher. @throws AmpereError EVIDENCE_MALFORMED */
export function evidenceOfHeads(
  { origin, registry }: OfRegistry,
  statements: Two<string>,
  links: readonly string[] = [],
): Uint8Array {
  const [a, b] = statements
  return formatEvidence({
    ampere: 'evidence/v1',
    kind: 'heads',
    origin,
    registry: { id: registry.id, blocks: [...registry.blocks] },
    statements: isBefore(parseHead(a).head.height, parseHead(b).head.height, a, b) ? [a, b] : [b, a],
    links: [...links],
  })
}

/** Two checkpoints; leaves and their proofs are in the order of the notes. @throws AmpereError EVIDENCE_MALFORMED */
export function evidenceOfCheckpoints(
  { origin, log }: OfLog,
  notes: Two<string>,
  contradiction:
    | { readonly how: 'root' }
    | { readonly how: 'prefix'; readonly hashes: readonly Uint8Array[] }
    | {
        readonly how: 'leaf'
        readonly index: number
        readonly leaves: Two<Uint8Array>
        readonly proofs: Two<readonly Uint8Array[]>
      },
): Uint8Array {
  const [a, b] = notes
  const inOrder = isBefore(checkpointIn(a).size, checkpointIn(b).size, a, b)
  const put = <T>([first, second]: Two<T>): [T, T] => (inOrder ? [first, second] : [second, first])
  const { how } = contradiction
  return formatEvidence({
    ampere: 'evidence/v1',
    kind: 'checkpoints',
    origin,
    log: [...log],
    notes: put(notes),
    contradiction:
      how === 'root'
        ? { how }
        : how === 'prefix'
          ? { how, hashes: contradiction.hashes.map(toBase64url) }
          : {
              how,
              index: contradiction.index,
              leaves: put<string>([
                toBase64url(contradiction.leaves[0]),
                toBase64url(contradiction.leaves[1]),
              ]),
              proofs: put([
                contradiction.proofs[0].map(toBase64url),
                contradiction.proofs[1].map(toBase64url),
              ]),
            },
  })
}

/** A block in its compact form and its receipt, a tlog-proof with its label as `extra`. */
export interface LoggedBlock {
  readonly block: string
  readonly receipt: string
}

/** Two blocks at one height of one chain, with receipts. @throws AmpereError EVIDENCE_MALFORMED */
export function evidenceOfBlocks(of: OfLog, logged: Two<LoggedBlock>): Uint8Array {
  return ofBlocks('blocks', of, logged)
}

/** Two blocks of one chain that are logged in the other order than that of their heights. @throws AmpereError EVIDENCE_MALFORMED */
export function evidenceOfOrder(of: OfLog, logged: Two<LoggedBlock>): Uint8Array {
  return ofBlocks('order', of, logged)
}

/** Two log entries (65 bytes each) with one label, with receipts. @throws AmpereError EVIDENCE_MALFORMED */
export function evidenceOfLabels(
  { origin, log }: OfLog,
  [a, b]: Two<{ readonly entry: Uint8Array; readonly receipt: string }>,
): Uint8Array {
  const [first, second] = a.receipt < b.receipt ? [a, b] : [b, a]
  return formatEvidence({
    ampere: 'evidence/v1',
    kind: 'labels',
    origin,
    log: [...log],
    entries: [toBase64url(first.entry), toBase64url(second.entry)],
    receipts: [first.receipt, second.receipt],
  })
}

/** A leaf that is no log entry, with its receipt, whose `extra` says nothing. @throws AmpereError EVIDENCE_MALFORMED */
export function evidenceOfLeafForm(
  { origin, log }: OfLog,
  { entry, receipt }: { readonly entry: Uint8Array; readonly receipt: string },
): Uint8Array {
  const file = { origin, log: [...log], entry: toBase64url(entry), receipt }
  return formatEvidence({ ampere: 'evidence/v1', kind: 'leaf-form', ...file })
}

/** What a kept promise would have logged, and a later tree that lacks it. */
export interface BrokenPromise {
  readonly head: string
  readonly block: string
  /** The block before and the canonical control state after it; null for a genesis. */
  readonly parent: { readonly block: string; readonly state: string } | null
  readonly labelKey: Uint8Array
  /** A checkpoint signed before the block can have been there, with the frontier of its tree; null begins at leaf 0. */
  readonly from: { readonly note: string; readonly frontier: readonly Uint8Array[] } | null
  readonly to: string
  /** Every log entry from there to the size of `to`. */
  readonly entries: readonly Uint8Array[]
}

/** A promise that was not kept. @throws AmpereError EVIDENCE_MALFORMED */
export function evidenceOfPromise(
  { origin, registry, log }: OfRegistry & OfLog,
  { head, block, parent, labelKey, from, to, entries }: BrokenPromise,
): Uint8Array {
  return formatEvidence({
    ampere: 'evidence/v1',
    kind: 'promise',
    origin,
    registry: { id: registry.id, blocks: [...registry.blocks] },
    log: [...log],
    head,
    block,
    parent,
    labelKey: toBase64url(labelKey),
    from: from && { note: from.note, frontier: from.frontier.map(toBase64url) },
    to,
    entries: entries.map(toBase64url),
  })
}

function ofBlocks(kind: 'blocks' | 'order', { origin, log }: OfLog, [a, b]: Two<LoggedBlock>): Uint8Array {
  const heightOf = ({ block }: LoggedBlock): number => parseBlock(block).block.height
  const [first, second] = isBefore(heightOf(a), heightOf(b), a.block, b.block) ? [a, b] : [b, a]
  const evidence: EvidenceOf<'blocks' | 'order'> = {
    ampere: 'evidence/v1',
    kind,
    origin,
    log: [...log],
    blocks: [first.block, second.block],
    receipts: [first.receipt, second.receipt],
  }
  return formatEvidence(evidence)
}

function isBefore(a: number, b: number, textA: string, textB: string): boolean {
  return a === b ? textA < textB : a < b
}
