// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '#core/bytes/encoding.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { LOG, treeOf, type World } from './world.ts'

/** An accepted file with members set to something else, and why it does not convince then. */
export interface Rejected {
  readonly name: string
  readonly of: string
  readonly set: readonly (readonly [path: readonly (string | number)[], value: unknown])[]
  readonly code: 'EVIDENCE_MALFORMED' | 'VERIFICATION_FAILED'
  /** With VERIFICATION_FAILED. */
  readonly rule: string | null
}

type File = Record<string, unknown>
type Change = Rejected['set'][number]

/** What breaks each rule of each kind, and nothing else. `files` are the accepted ones, parsed. */
export async function rejectedEvidence(world: World, files: Readonly<Record<string, File>>): Promise<Rejected[]> {
  const rejected: Rejected[] = []
  const at = (of: string, path: Change[0]): unknown =>
    path.reduce<unknown>((value, key) => (value as Record<string | number, unknown>)[key], files[of])
  const add = (of: string, name: string, rule: string, ...set: Change[]) =>
    rejected.push({ name, of, set, code: 'VERIFICATION_FAILED', rule })
  const malformed = (of: string, name: string, ...set: Change[]) =>
    rejected.push({ name, of, set, code: 'EVIDENCE_MALFORMED', rule: null })

  for (const name of Object.keys(files)) {
    malformed(name, 'an unknown member', [['more'], 1])
    malformed(name, 'another version', [['ampere'], 'evidence/v2'])
    malformed(name, 'another kind', [['kind'], 'rumour'])
    add(name, 'another origin', files[name]?.['registry'] ? 'origin' : 'pinned', [['origin'], 'http://other.test'])
  }
  // A kind with a registry and a log meets the log's keys first.
  for (const [i, item] of rejected.entries())
    if (item.name === 'another origin' && files[item.of]?.['log']) rejected[i] = { ...item, rule: 'pinned' }

  addHeads(world, add, at)
  await addSigned(world, add)
  await addCheckpoints(world, add, at)
  addLeaves(add, at)
  await addLeafForms(world, add, malformed, at)
  await addPromises(world, add, at)
  return rejected
}

type Add = (of: string, name: string, rule: string, ...set: Change[]) => unknown
type Malformed = (of: string, name: string, ...set: Change[]) => unknown
type At = (of: string, path: Change[0]) => unknown

function addHeads({ registry, blocks }: World, add: Add, at: At): void {
  const [first, second] = [at('heads-fork', ['statements', 0]), at('heads-fork', ['statements', 1])] as string[]
  const [low, high] = [at('heads-rollback', ['statements', 0]), at('heads-rollback', ['statements', 1])]
  add('heads-fork', 'the same statement twice', 'conflict', [['statements', 1], first])
  add('heads-fork', 'a flipped byte in a signature', 'signature', [['statements', 1], flipped(second ?? '')])
  add('heads-fork', 'a registry without its genesis', 'registry', [['registry', 'blocks'], registry.blocks.slice(1)])
  add('heads-fork', 'another registry than the pinned one', 'pinned', [['registry', 'id'], 'A'.repeat(43)])
  add('heads-fork', 'a block where a statement belongs', 'form', [['statements', 1], blocks[5]])
  add('heads-fork', 'links between heads of one height', 'links', [['links'], blocks.slice(5, 6)])
  add('heads-links', 'a link is missing', 'links', [['links'], blocks.slice(7, 9)])
  add('heads-links', 'links in another order', 'links', [['links'], [blocks[7], blocks[6], blocks[8]]])
  add('heads-links', 'no links, and no time between', 'conflict', [['links'], []])
  add('heads-links', 'the higher head continues the lower', 'conflict', [['statements', 0], first], [['statements', 0], at('heads-fork', ['statements', honest(at, blocks[5] ?? '')])])
  add('heads-rollback', 'a lower head beside a higher one', 'conflict', [['statements', 1], low], [['statements', 0], low])
  add('heads-rollback', 'the same statement twice', 'conflict', [['statements', 0], high])
}

/** Which statement of the fork is of the block that the chain has. */
function honest(at: At, block: string): number {
  const { id } = parseBlock(block)
  return [0, 1].findIndex((i) => {
    const payload = (at('heads-fork', ['statements', i]) as string).split('.')[1] ?? ''
    return Buffer.from(payload, 'base64url').toString().includes(id)
  })
}

async function addSigned({ headOf, blocks, cast, timeAt, chain }: World, add: Add): Promise<void> {
  const now = timeAt(10)
  const block = blocks[8] ?? ''
  const later = { origin: 'http://other.test' }
  add('heads-rollback', 'a statement by a key of another use', 'head-key', [
    ['statements', 1],
    await headOf(block, now, {}, cast.signers['hospital-a-1']),
  ])
  add('heads-rollback', 'a statement of another origin', 'origin', [['statements', 1], await headOf(block, now, later)])
  add('heads-rollback', 'a statement of another chain', 'conflict', [
    ['statements', 1],
    await headOf(block, now, { chain: `A${chain.slice(1)}` as typeof chain }),
  ])
  add('heads-rollback', 'a lower head that is not late enough', 'conflict', [
    ['statements', 0],
    await headOf(blocks[7] ?? '', now + 120_000),
  ])
}

async function addCheckpoints({ signers, others, timeAt }: World, add: Add, at: At): Promise<void> {
  const [ed] = signers
  const tree = treeOf(signers, others)
  const now = timeAt(10)
  const stranger = await signerOf(LOG, 'Ed25519', 93)
  const elsewhere = await signerOf('other.test/log', 'Ed25519', 94)
  add('checkpoints-root', 'the same note twice', 'conflict', [['notes', 1], at('checkpoints-root', ['notes', 0])])
  add('checkpoints-root', 'the same tree at another time', 'conflict', [['notes', 0], await tree.note(7, now)], [['notes', 1], await tree.note(7, now + 1000)])
  add('checkpoints-root', 'two sizes', 'conflict', [['notes', 1], at('checkpoints-prefix', ['notes', 1])])
  add('checkpoints-root', 'a note by a stranger', 'signature', [['notes', 1], await tree.note(7, now, [stranger])])
  add('checkpoints-root', 'a key of a stranger', 'pinned', [['log'], [formatVerifierKey(stranger.key)]])
  add('checkpoints-root', 'a key of another log', 'pinned', [['log'], [formatVerifierKey(elsewhere.key)]])
  add('checkpoints-root', 'a flipped byte in a note', 'signature', [['notes', 1], flippedNote(at('checkpoints-root', ['notes', 1]) as string)])
  add('checkpoints-root', 'no note', 'form', [['notes', 1], 'no note'])
  add('checkpoints-root', 'one proof where another belongs', 'proof', [['contradiction'], at('checkpoints-prefix', ['contradiction'])])
  add('checkpoints-prefix', 'a hash is missing', 'proof', [['contradiction', 'hashes'], (at('checkpoints-prefix', ['contradiction', 'hashes']) as string[]).slice(1)])
  add('checkpoints-prefix', 'a larger tree that continues the smaller', 'conflict', [['notes', 0], await tree.note(7, now)])
  add('checkpoints-leaf', 'the same leaf', 'proof', [['contradiction', 'leaves', 1], at('checkpoints-leaf', ['contradiction', 'leaves', 0])])
  add('checkpoints-leaf', 'another index', 'proof', [['contradiction', 'index'], 4])
  if (!ed) throw new Error('no signer')
  add('checkpoints-leaf', 'the same leaf in a tree that continues', 'conflict',
    [['notes', 0], await tree.note(13, now, [ed])],
    [['contradiction', 'leaves', 0], at('checkpoints-leaf', ['contradiction', 'leaves', 1])],
    [['contradiction', 'proofs', 0], at('checkpoints-leaf', ['contradiction', 'proofs', 1])])
}

function addLeaves(add: Add, at: At): void {
  for (const kind of ['blocks', 'order']) {
    add(kind, 'the same block twice', 'conflict', [['blocks', 1], at(kind, ['blocks', 0])], [['receipts', 1], at(kind, ['receipts', 0])])
    add(kind, 'a receipt of another block', 'proof', [['receipts', 1], at(kind, ['receipts', 0])])
    add(kind, 'a flipped byte in a block', 'proof', [['blocks', 1], flipped(at(kind, ['blocks', 1]) as string)])
    add(kind, 'another label', 'proof', [['receipts', 1], (at(kind, ['receipts', 1]) as string).replace(/^extra .*$/m, `extra ${'A'.repeat(43)}=`)])
    add(kind, 'no label', 'proof', [['receipts', 1], (at(kind, ['receipts', 1]) as string).replace(/^extra .*\n/m, '')])
  }
  add('blocks', 'blocks of two heights', 'conflict', [['blocks'], at('order', ['blocks'])], [['receipts'], at('order', ['receipts'])])
  add('order', 'blocks of one height', 'conflict', [['blocks'], at('blocks', ['blocks'])], [['receipts'], at('blocks', ['receipts'])])
  // The other block at height 5 comes at index 6, height 4 only after it: the first one alone would be in order.
  add('labels', 'the same entry twice', 'conflict', [['entries', 1], at('labels', ['entries', 0])], [['receipts', 1], at('labels', ['receipts', 0])])
  add('labels', 'two labels', 'conflict', [['entries', 1], toBase64url(new Uint8Array(65).fill(1))])
  add('labels', 'a receipt of another entry', 'proof', [['receipts', 1], at('labels', ['receipts', 0])])
  add('labels', 'an entry of another version', 'form', [['entries', 1], toBase64url(new Uint8Array(65))])
}

async function addLeafForms({ signers, others, timeAt }: World, add: Add, malformed: Malformed, at: At): Promise<void> {
  const [honest, of] = [treeOf(signers, others.slice(0, 7)), 'leaf-form']
  add(of, 'a log entry', 'conflict',
    [['entry'], toBase64url(others[6] ?? new Uint8Array(0))],
    [['receipt'], await honest.receipt(6, timeAt(10))])
  add(of, 'a log entry, and the receipt of another', 'conflict', [['entry'], toBase64url(others[6] ?? new Uint8Array(0))])
  add(of, 'another entry', 'proof', [['entry'], at('leaf-form-empty', ['entry'])])
  add(of, 'the longest entry', 'proof', [['entry'], 'A'.repeat(87_380)])
  malformed(of, 'an entry that no bundle can hold', [['entry'], 'A'.repeat(87_382)])
  malformed(of, 'an entry with slack bits', [['entry'], 'AB'])
  malformed(of, 'an entry with padding', [['entry'], 'AA=='])
  malformed(of, 'no entry', [['entry'], null])
  add(of, 'another index', 'proof', [['receipt'], (at(of, ['receipt']) as string).replace('index 6', 'index 5')])
  add(of, 'no receipt', 'form', [['receipt'], ''])
  add(of, 'a flipped byte in the checkpoint', 'signature', [['receipt'], flippedNote(at(of, ['receipt']) as string)])
}

async function addPromises(world: World, add: Add, at: At): Promise<void> {
  const { signers, others, blocks, states, timeAt, headOf, entryOf, labelKeyAt } = world
  const entries = at('promise', ['entries']) as string[]
  const stated = timeAt(5) + 1000
  const all = [...others.slice(0, 5), ...[0, 1, 2, 3, 4].map((height) => entryOf(height)), ...others.slice(5, 8)]
  const tree = treeOf(signers, all)
  const [ed] = signers
  if (!ed) throw new Error('no signer')
  const kept = [...all.slice(0, 12), entryOf(5)]
  add('promise', 'a promise that was kept', 'conflict',
    [['entries'], kept.map(toBase64url)],
    [['to'], await treeOf(signers, kept).note(13, stated + 181_000)])
  const ofMirror = await headOf(blocks[5] ?? '', stated, { durability: 'mirrored' })
  add('promise', 'the statement of a mirror', 'conflict', [['head'], ofMirror])
  add('promise', 'a tree of 180 s after the statement', 'conflict', [['to'], await tree.note(13, stated + 180_000)])
  add('promise', 'a tree that a clock 61 s ahead dates', 'conflict', [['to'], await tree.note(13, stated + 61_000)])
  add('promise', 'a tree whose time nobody states', 'time', [['to'], await tree.note(13, stated + 181_000, [ed])])
  add('promise', 'an entry is missing', 'proof', [['entries'], entries.slice(1)])
  add('promise', 'an entry was replaced', 'proof', [['entries', 12], entries[0]])
  add('promise', 'another block', 'block', [['block'], blocks[4]])
  add('promise', 'the label key of another epoch', 'label-key', [['labelKey'], toBase64url(labelKeyAt(2))])
  add('promise', 'another state', 'label-key', [['parent', 'state'], states[3]])
  add('promise', 'another block before', 'label-key', [['parent', 'block'], blocks[3]])
  add('promise', 'no block before', 'label-key', [['parent'], null])
  add('promise', 'a statement of another block', 'block', [['head'], await headOf(blocks[4] ?? '', stated)])
  add('promise-genesis', 'a block before a genesis', 'label-key', [['parent'], at('promise', ['parent'])])
  add('promise-from', 'an earlier tree that may hold the block', 'start', [['from', 'note'], await tree.note(3, timeAt(5) - 241_000)])
  add('promise-from', 'a tree that may hold a block from 120 s ahead', 'start', [['from', 'note'], await tree.note(3, timeAt(5) - 121_000)])
  add('promise-from', 'a frontier of another tree', 'proof', [['from', 'frontier', 0], toBase64url(new Uint8Array(32))])
  add('promise-from', 'a frontier that is too short', 'proof', [['from', 'frontier'], (at('promise-from', ['from', 'frontier']) as string[]).slice(1)])
  add('promise-from', 'no start', 'proof', [['from'], null])
}

/** A statement whose signature has another byte in its middle. */
function flipped(compact: string): string {
  const at = compact.lastIndexOf('.') + 20
  return `${compact.slice(0, at)}${compact[at] === 'A' ? 'B' : 'A'}${compact.slice(at + 1)}`
}

function flippedNote(note: string): string {
  const at = note.indexOf('\u2014') + 40
  return `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`
}
