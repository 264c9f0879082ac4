// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import type { Digest } from '#core/bytes/ids.ts'
import { openHead } from '#core/api/head.ts'
import { parseApproval } from '#core/block/approval.ts'
import { parseJws, verifyJws } from '#core/block/jws.ts'
import { foldBlocks } from '#core/chain/fold-blocks.ts'
import { stateBytes, stateHash } from '#core/chain/state.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { AmpereError } from '#core/errors.ts'
import { createRegistryHistory, type RegistryHistory } from '#core/registry/history.ts'
import { frozenIn, readSealed, recordVectors } from '#tests/vectors/ampere/generate-record.ts'
import { makeCast } from '#tests/vectors/ampere/record/cast.ts'
import { homeWith } from '#tests/vectors/ampere/record/home.ts'
import type { Expected, Negative } from '#tests/vectors/ampere/record/negatives.ts'
import { tellStory } from '#tests/vectors/ampere/record/story.ts'

interface ChainVectors {
  readonly registry: readonly string[]
  readonly chain: string
  readonly blocks: readonly {
    readonly type: string
    readonly act: string | null
    readonly block: string
    readonly id: string
    readonly state: string
    readonly canonicalState: string
    readonly approvals: readonly { approval: string; id: string; kid: string; payload: unknown }[]
  }[]
  readonly rejected: readonly { readonly rule: string; readonly block: string }[]
}
interface Statement {
  readonly kind: 'head' | 'erased'
  readonly statement: string
  readonly id: string
  readonly kid: string
  readonly payload: unknown
}

const fileText = (name: string) =>
  readFileSync(new URL(`../../vectors/ampere/record/${name}`, import.meta.url), 'utf8')
const vectorsIn = (name: string): unknown => (JSON.parse(fileText(name)) as { vectors: unknown }).vectors
const chain = vectorsIn('chain.json') as ChainVectors
const exported = fileText('export.ampere')
const verifiers = createVerifiers()
let history: RegistryHistory

beforeAll(async () => {
  const pinned = parseJws(chain.registry[0] ?? '', 'ampere-registry+jws').id
  history = createRegistryHistory(pinned, verifiers)
  for (const block of chain.registry) await history.add(block)
})

const fold = (blocks: readonly string[]) =>
  foldBlocks(null, blocks, {
    chain: chain.chain as never,
    viewAt: history.viewAt,
    keyOf: history.keyOf,
    verifiers,
  })

describe('the record that earlier versions wrote', () => {
  it('has every type and act of a block, and folds to the ids and states that it had', async () => {
    const folded = await fold(chain.blocks.map(({ block }) => block))
    expect(folded.broken).toBeNull()
    expect(new Set(chain.blocks.map(({ type, act }) => `${type} ${act ?? ''}`.trim()))).toEqual(
      new Set([
        'genesis',
        'control change',
        'record',
        'control rotate',
        'erase request',
        'erase complete',
        'erase cancel',
      ]),
    )
    for (const [i, { opened, state }] of folded.links.entries()) {
      const vector = chain.blocks[i]
      expect([opened.id, opened.block.state, stateHash(state)]).toEqual([
        vector?.id,
        vector?.state,
        vector?.state,
      ])
      expect(fromUtf8(stateBytes(state))).toBe(vector?.canonicalState)
    }
  })

  it('has approvals that parse to what they say', () => {
    const approvals = chain.blocks.flatMap((block) => block.approvals)
    expect(approvals.length).toBeGreaterThan(5)
    for (const { approval, id, kid, payload } of approvals) {
      const { jws } = parseApproval(approval)
      expect({ id: jws.id, kid: jws.kid, payload: jws.payload }).toEqual({ id, kid, payload })
    }
  })

  it('is followed by none of the blocks that break a rule', async () => {
    for (const { rule, block } of chain.rejected) {
      const { broken } = await fold([...chain.blocks.map((vector) => vector.block), block])
      expect(broken).toMatchObject({ height: chain.blocks.length, violation: { rule } })
    }
    expect(chain.rejected).toHaveLength(6)
  })

  it('has a head and an erasure statement by the key of its home', async () => {
    for (const { kind, statement, ...said } of vectorsIn('statements.json') as Statement[]) {
      const jws = parseJws(statement, `ampere-${kind}+jws`)
      const key = history.keyOf(jws.kid)
      if (!key) throw new Error('the key of the home is expected')
      await verifyJws(jws, key, verifiers)
      expect({ id: jws.id, kid: jws.kid, payload: jws.payload }).toEqual(said)
      if (kind === 'head') expect(await openHead(statement, key, verifiers)).toEqual(said.payload)
      const other = kind === 'head' ? 'ampere-erased+jws' : 'ampere-head+jws'
      expect(() => parseJws(statement, other)).toThrow(expect.objectContaining({ code: 'JWS_MALFORMED' }))
    }
  })
})

describe('the export that earlier versions wrote', () => {
  it('verifies, with the registry pinned', async () => {
    expect(await verifyExport(utf8(exported), { registry: history.pinned })).toMatchObject({
      chain: chain.chain,
      blocks: chain.blocks.length,
      entries: 4,
      erased: 1,
      problems: [],
    })
    const foreign = `${history.pinned.startsWith('A') ? 'B' : 'A'}${history.pinned.slice(1)}` as Digest
    await expect(verifyExport(utf8(exported), { registry: foreign })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringContaining('rule registry'),
    })
  })

  const negatives = vectorsIn('export-rejected.json') as Negative[]
  it.each(negatives.map(({ name, layer, expected, edits }) => [layer, name, expected, edits] as const))(
    'is refused at the layer %s: %s',
    async (_, __, expected, edits) => {
      expect(await verdictOn(edited(edits))).toEqual(expected)
    },
  )

  it('is refused at every layer by some of them', () => {
    const layers = new Set(negatives.map(({ layer }) => layer))
    expect(layers).toEqual(new Set(['form', 'registry', 'chain', 'head', 'parts']))
  })
})

describe('the vectors of the record', () => {
  it('are made again byte for byte from their seed and from what HPKE sealed once', async () => {
    const files = await recordVectors(frozenIn(readSealed(), false))
    for (const [name, text] of Object.entries(files)) expect(text).toBe(fileText(name))
    expect(Object.keys(files)).toHaveLength(4)
  })

  it('open for their reader, all but what was erased', async () => {
    const cast = await makeCast()
    const { reader, chain: record } = await homeWith(
      cast,
      await tellStory(cast, frozenIn(readSealed(), false)),
    )
    const view = await reader.read(record)
    expect(view.opened.map(({ content }) => fromUtf8(content))).toEqual([
      'blood pressure 120 over 80',
      'weight 70 kg',
      'weight 71 kg',
    ])
    expect(view.closed.map(({ status }) => status)).toEqual(['erased'])
  })
})

function edited(edits: Negative['edits']): string {
  const lines: (string | null)[] = exported.split('\n')
  for (const { line, text } of edits) lines[line - 1] = text
  return lines.filter((line) => line !== null).join('\n')
}

async function verdictOn(text: string): Promise<Expected | null> {
  try {
    const { problems } = await verifyExport(utf8(text), { registry: history.pinned })
    return problems.length === 0 ? null : { problems: problems.map(({ height, rule }) => ({ height, rule })) }
  } catch (error) {
    if (!(error instanceof AmpereError)) throw error
    return { code: error.code, rule: /^rule ([a-z-]+):/.exec(error.message)?.[1] ?? null }
  }
}
