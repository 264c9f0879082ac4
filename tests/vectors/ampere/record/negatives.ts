// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '#core/bytes/canonical-json.ts'
import { fromBase64url, fromUtf8, toBase64url, utf8 } from '#core/bytes/encoding.ts'
import { encodeKeyRow, entomb, parseKeyRow } from '#core/block/key-row.ts'
import { parseBlock, signBlock } from '#core/block/open-block.ts'
import { parseHead, signHead } from '#core/api/head.ts'
import { bytesFor, type Cast } from './cast.ts'

/** What a verifier must answer: an error with its code and rule, or the problems of single blocks. */
export type Expected =
  | { readonly code: string; readonly rule: string | null }
  | { readonly problems: readonly { readonly height: number; readonly rule: string }[] }

/** An export that differs from the good one in some lines, and what is wrong with it. Lines count from 1. */
export interface Negative {
  readonly name: string
  readonly layer: 'form' | 'registry' | 'chain' | 'head' | 'parts'
  readonly expected: Expected
  /** The new text of a line, or null where it is left out. */
  readonly edits: readonly { readonly line: number; readonly text: string | null }[]
}

type Line = Readonly<Record<string, string>>

/** One export for each thing that a verifier must see, built from the good one. */
export async function makeNegatives(lines: readonly string[], cast: Cast): Promise<readonly Negative[]> {
  const parsed = lines.map((line) => JSON.parse(line) as Line)
  const at = (kind: string, n = 0) => {
    const found = parsed.flatMap((line, i) => (kind in line ? [i + 1] : []))[n]
    if (found === undefined) throw new Error(`no ${kind} line ${n}`)
    return found
  }
  const value = (kind: string, n = 0) => parsed[at(kind, n) - 1]?.[kind] ?? ''
  const edit = (kind: string, n: number, change: Line | null) => [
    { line: at(kind, n), text: change && canonicalize({ ...parsed[at(kind, n) - 1], ...change }) },
  ]
  const blocks = parsed.filter((line) => 'block' in line).length
  return [
    ...formNegatives(parsed, at),
    ...(await registryAndChainNegatives(cast, blocks, value, edit)),
    ...(await headNegatives(cast, blocks, value, edit)),
    ...partsNegatives(value, edit),
  ]
}

type Value = (kind: string, n?: number) => string
type Edit = (kind: string, n: number, change: Line | null) => Negative['edits']

function formNegatives(parsed: readonly Line[], at: (kind: string, n?: number) => number): Negative[] {
  const malformed = { layer: 'form' as const, expected: { code: 'EXPORT_MALFORMED', rule: null } }
  const header = (change: Line) => [{ line: 1, text: canonicalize({ ...parsed[0], ...change }) }]
  return [
    { ...malformed, name: 'a header of another version', edits: header({ ampere: 'export/v2' }) },
    { ...malformed, name: 'a line that is not JSON', edits: [{ line: at('block'), text: '{' }] },
    { ...malformed, name: 'a kind of line that does not exist', edits: [{ line: at('block'), text: '{"other":"x"}' }] },
    { ...malformed, name: 'no head statement', edits: [{ line: at('head'), text: null }] },
    { ...malformed, name: 'a line with a space', edits: [{ line: at('block'), text: spaced(parsed[at('block') - 1]) }] },
    {
      ...malformed,
      name: 'a key row that is there twice',
      edits: [{ line: at('row', 1), text: canonicalize(parsed[at('row') - 1]) }],
    },
  ]
}

function spaced(line: Line | undefined): string {
  return canonicalize(line).replace(':', ': ')
}

async function registryAndChainNegatives(cast: Cast, blocks: number, value: Value, edit: Edit): Promise<Negative[]> {
  const last = parseBlock(value('block', blocks - 1))
  const lie = await signBlock({ ...last.block, state: toBase64url(bytesFor('lie')(32)) as never }, cast.signers['hospital-a-1'])
  const broken = (rule: string) => ({ layer: 'chain' as const, expected: { code: 'VERIFICATION_FAILED', rule } })
  const registry = { layer: 'registry' as const, expected: { code: 'SIGNATURE_INVALID', rule: null } }
  return [
    {
      ...registry,
      name: 'a registry block with the signature of another',
      edits: edit('registryBlock', 1, { registryBlock: withSignatureOf(value('registryBlock', 1), value('registryBlock', 0)) }),
    },
    {
      ...registry,
      name: 'a registry without its genesis',
      edits: edit('registryBlock', 0, null),
    },
    {
      ...broken('registry-head'),
      name: 'a registry that ends before the head that a block names',
      edits: edit('registryBlock', 1, null),
    },
    { ...broken('malformed'), name: 'a block with padding', edits: edit('block', 3, { block: `${value('block', 3)}=` }) },
    {
      ...broken('signature'),
      name: 'a block with the signature of another',
      edits: edit('block', 3, { block: withSignatureOf(value('block', 3), value('block', 1)) }),
    },
    { ...broken('height'), name: 'a block left out', edits: edit('block', 3, null) },
    { ...broken('first-block'), name: 'a chain without its genesis', edits: edit('block', 0, null) },
    { ...broken('state-hash'), name: 'a block that names another state', edits: edit('block', blocks - 1, { block: lie.compact }) },
  ]
}

async function headNegatives(cast: Cast, blocks: number, value: Value, edit: Edit): Promise<Negative[]> {
  const { head } = parseHead(value('head'))
  const failed = { layer: 'head' as const, expected: { code: 'VERIFICATION_FAILED', rule: 'head' } }
  const foreign = await signHead(head, cast.signers['hospital-a-1'])
  const earlier = await signHead({ ...head, height: head.height - 1 }, cast.signers['home-1'])
  return [
    { ...failed, name: "a head statement by a key that is not the home's", edits: edit('head', 0, { head: foreign }) },
    { ...failed, name: 'a head statement of another height', edits: edit('head', 0, { head: earlier }) },
    { ...failed, name: 'the newest block left out', edits: edit('block', blocks - 1, null) },
    {
      layer: 'head',
      expected: { code: 'SIGNATURE_INVALID', rule: null },
      name: 'a head statement with the signature of another',
      edits: edit('head', 0, { head: withSignatureOf(value('head'), earlier) }),
    },
  ]
}

function partsNegatives(value: Value, edit: Edit): Negative[] {
  const problem = (height: number, ...rules: string[]) => ({
    layer: 'parts' as const,
    expected: { problems: rules.map((rule) => ({ height, rule })) },
  })
  const object = fromBase64url(value('object', 0))
  const flipped = (position: number) => toBase64url(object.map((byte, i) => (i === position ? byte ^ 1 : byte)))
  const row = parseKeyRow(utf8(value('row', 0)))
  const erase = toBase64url(bytesFor('no erasure')(32)) as never
  return [
    { ...problem(2, 'keys-row'), name: 'a key row left out', edits: edit('row', 0, null) },
    {
      ...problem(2, 'keys-root'),
      name: 'a key row of another block',
      edits: edit('row', 0, { row: value('row', 1) }),
    },
    {
      ...problem(2, 'keys-row'),
      name: 'a key that was destroyed without an erasure',
      edits: edit('row', 0, { row: fromUtf8(encodeKeyRow(entomb(row, [0], erase))) }),
    },
    { ...problem(2, 'object'), name: 'an object left out', edits: edit('object', 0, null) },
    // Inside the first descriptor's size, so that what remains is well-formed.
    {
      ...problem(2, 'entries-root'),
      name: 'an object with another descriptor',
      edits: edit('object', 0, { object: toBase64url(otherSize(object)) }),
    },
    {
      ...problem(2, 'entry-hash'),
      name: 'a ciphertext with one bit changed',
      edits: edit('object', 0, { object: flipped(object.length - 1) }),
    },
  ]
}

function otherSize(object: Uint8Array): Uint8Array {
  const marker = utf8('"size":')
  const start = object.findIndex((_, i) => marker.every((byte, j) => object[i + j] === byte)) + marker.length
  return object.map((byte, i) => (i === start ? byte ^ 1 : byte))
}

function withSignatureOf(compact: string, other: string): string {
  const cut = (text: string) => text.lastIndexOf('.')
  return compact.slice(0, cut(compact)) + other.slice(cut(other))
}
