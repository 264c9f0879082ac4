// SPDX-License-Identifier: Apache-2.0
import { canonicalBytes } from '../bytes/canonical-json.ts'
import { fromBase64url, toBase64url } from '../bytes/encoding.ts'
import type { Digest } from '../bytes/ids.ts'
import { parseHead } from '../api/head.ts'
import { decodeLeaf } from '../block/leaf.ts'
import { parseBlock } from '../block/open-block.ts'
import { digestOf } from '../crypto/hash.ts'
import { checkpointIn } from '../log/note/checkpoint.ts'
import type { Evidence } from './format.ts'

/**
 * Names what contradicts what, without times and signatures: a home that states the same two heads again and again
 * makes many files of one conflict, of which one is worth keeping. Part of no format.
 * @throws AmpereError JWS_MALFORMED and its kin for parts that are not well-formed
 */
export function conflictOf(evidence: Evidence): Digest {
  const { kind, origin } = evidence
  return digestOf(canonicalBytes([kind, origin, ...sidesOf(evidence).toSorted()]))
}

function sidesOf(evidence: Evidence): string[] {
  switch (evidence.kind) {
    case 'heads':
      return evidence.statements.map(sideOfHead)
    case 'checkpoints':
      return evidence.notes.map((note) => {
        const { size, root } = checkpointIn(note)
        return `${size} ${toBase64url(root)}`
      })
    case 'blocks':
    case 'order':
      return evidence.blocks.map((block) => parseBlock(block).id)
    case 'labels':
      return evidence.entries.map((entry) => toBase64url(decodeLeaf(fromBase64url(entry)).label))
    case 'leaf-form':
      return [digestOf(fromBase64url(evidence.entry))]
    case 'promise':
      return [sideOfHead(evidence.head)]
  }
}

function sideOfHead(compact: string): string {
  const { chain, height, block } = parseHead(compact).head
  return `${chain} ${height} ${block}`
}
