// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalize } from '../../bytes/canonical-json.ts'
import { fromBase64url, fromUtf8, utf8 } from '../../bytes/encoding.ts'
import { equalBytes } from '../../bytes/frame.ts'
import { chainId, count, digest, parseWith } from '../../bytes/schema.ts'
import type { Digest } from '../../bytes/ids.ts'
import { digestOf } from '../../crypto/hash.ts'
import { foundLeaf, type LookupAnswer } from '../../api/lookup.ts'
import { AmpereError } from '../../errors.ts'
import { EXPORT_START, notExport } from './failure.ts'

const headLine = v.strictObject({
  ampere: v.literal('export/v1'),
  chain: chainId,
  registry: digest,
  origin: v.string(),
})
const partLine = v.union([
  v.strictObject({ registryBlock: v.string() }),
  v.strictObject({ block: v.string() }),
  v.strictObject({ row: v.string(), of: v.string() }),
  v.strictObject({ object: v.string(), of: v.string() }),
  v.strictObject({ erased: v.string() }),
  v.strictObject({ checkpoint: v.string() }),
  v.strictObject({ receipt: v.string(), of: count, under: digest }),
  v.strictObject({ registryReceipt: v.string(), of: count, under: digest }),
  v.strictObject({ labelKey: digest }),
  v.strictObject({ lookup: v.string(), of: v.string(), under: digest, found: v.nullable(foundLeaf) }),
  v.strictObject({ head: v.string() }),
])

/** What the first line of an export says it is. Nothing of it is believed before it is checked. */
export type ExportHead = v.InferOutput<typeof headLine>

/** The lines of an export, sorted; unchecked. */
export interface ExportParts {
  readonly first: ExportHead
  readonly registryBlocks: readonly string[]
  readonly blocks: readonly string[]
  /** Key rows by `<root>.<keys>`. */
  readonly rows: ReadonlyMap<string, string>
  /** Sealed objects by root. */
  readonly objects: ReadonlyMap<string, Uint8Array>
  /** Statements of holders that erased things are gone. */
  readonly erased: readonly string[]
  /** The tlog-proofs of blocks, and of blocks of the registry, by height. */
  readonly receipts: ReadonlyMap<number, string>
  readonly registryReceipts: ReadonlyMap<number, string>
  /** Answers of monitors, by their origins. */
  readonly lookups: ReadonlyMap<string, LookupAnswer>
  /** By which the block after the last one is named, as the file says; null where it says nothing. */
  readonly labelKey: Uint8Array | null
  readonly head: string
}

/**
 * Reads the lines of an export. Each is canonical JSON and no part occurs twice, so that no two readers can take
 * one file differently.
 * @throws AmpereError EXPORT_MALFORMED naming the line, or that the file does not begin as an export
 */
export function readExportLines(bytes: Uint8Array): ExportParts {
  const start = utf8(EXPORT_START)
  if (!equalBytes(bytes.subarray(0, start.length), start)) throw notExport()
  const lines = textOf(bytes).split('\n')
  if (lines.pop() !== '') throw malformed(lines.length + 1, 'the file ends inside a line')
  const first = parseWith(headLine, parseLine(lines[0] ?? '', 1), 'EXPORT_MALFORMED', 'line 1')
  const parts = {
    registryBlocks: [] as string[],
    blocks: [] as string[],
    rows: new Map<string, string>(),
    objects: new Map<string, Uint8Array>(),
    erased: [] as string[],
    receipts: new Map<number, string>(),
    registryReceipts: new Map<number, string>(),
    lookups: new Map<string, LookupAnswer>(),
  }
  const labelKeys = new Map<'labelKey', Uint8Array>()
  const checkpoints = new Map<string, string>()
  const above = ({ under }: { readonly under: Digest }, number: number): string => {
    const checkpoint = checkpoints.get(under)
    if (checkpoint === undefined)
      throw malformed(number, 'a receipt or lookup is under a checkpoint that is not before it')
    return checkpoint
  }
  let head: string | null = null
  for (const [i, line] of lines.entries()) {
    if (i === 0) continue
    const part = parseWith(partLine, parseLine(line, i + 1), 'EXPORT_MALFORMED', `line ${i + 1}`)
    if ('registryBlock' in part) parts.registryBlocks.push(part.registryBlock)
    else if ('block' in part) parts.blocks.push(part.block)
    else if ('row' in part) put(parts.rows, part.of, part.row, i + 1)
    else if ('object' in part) put(parts.objects, part.of, objectBytes(part.object, i + 1), i + 1)
    else if ('erased' in part) parts.erased.push(part.erased)
    else if ('checkpoint' in part) put(checkpoints, digestOf(utf8(part.checkpoint)), part.checkpoint, i + 1)
    else if ('receipt' in part) put(parts.receipts, part.of, `${part.receipt}${above(part, i + 1)}`, i + 1)
    else if ('registryReceipt' in part)
      put(parts.registryReceipts, part.of, `${part.registryReceipt}${above(part, i + 1)}`, i + 1)
    else if ('labelKey' in part) put(labelKeys, 'labelKey', fromBase64url(part.labelKey), i + 1)
    else if ('lookup' in part) {
      const { lookup, found } = part
      put(parts.lookups, part.of, { lookup, checkpoint: above(part, i + 1), found }, i + 1)
    } else if (head === null) head = part.head
    else throw malformed(i + 1, 'a second head statement')
  }
  if (head === null) throw new AmpereError('EXPORT_MALFORMED', 'the export has no head statement')
  return { first, ...parts, labelKey: labelKeys.get('labelKey') ?? null, head }
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    throw new AmpereError('EXPORT_MALFORMED', 'the text is not UTF-8', { cause })
  }
}

function parseLine(line: string, number: number): unknown {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw malformed(number, 'not JSON', cause)
  }
  let canonical: string
  try {
    canonical = canonicalize(value)
  } catch (cause) {
    throw malformed(number, 'not canonical JSON', cause)
  }
  if (canonical !== line) throw malformed(number, 'not canonical JSON')
  return value
}

function objectBytes(text: string, number: number): Uint8Array {
  try {
    return fromBase64url(text)
  } catch (cause) {
    throw malformed(number, 'an object is not base64url', cause)
  }
}

function put<K, T>(parts: Map<K, T>, name: K, value: T, number: number): void {
  if (parts.has(name)) throw malformed(number, 'a part occurs twice')
  parts.set(name, value)
}

function malformed(number: number, what: string, cause?: unknown): AmpereError {
  return new AmpereError('EXPORT_MALFORMED', `line ${number}: ${what}`, { cause })
}
