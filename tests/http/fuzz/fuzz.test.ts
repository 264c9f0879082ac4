// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { concat, uint32 } from '#core/bytes/frame.ts'
import { parseJws } from '#core/block/jws.ts'
import type { Signer } from '#core/ports/keys.ts'
import { HOME_OPERATIONS } from '#functions/roles.ts'
import { addRegistryBlock } from '#functions/registrar/operations.ts'
import { addErased, appendBlock } from '#functions/writer/operations.ts'
import { makeSigner } from '#tests/deployment.ts'
import { requestFor } from '../ask.ts'
import { converse, type Conversation } from '../conversation.ts'
import { deviating, deviations } from './deviate.ts'
import { judgedHome, type JudgedHome } from './judge.ts'
import { CANARY, edit, edits, forge, scar, textOf, type Edit } from './mutate.ts'
import { captureAppends, captureRegistryBlocks, takeBack, type Template } from './templates.ts'

/** Fixed, so that what is reached does not depend on luck; another one by SEED=n. */
const SEED = Number(process.env['SEED'] ?? 12)
/** Runs per property; SLOW=1 looks longer. */
const RUNS = process.env['SLOW'] === '1' ? 20_000 : 250
/** Beyond what a slow machine needs, in milliseconds per property. */
const TIMEOUT_MS = RUNS * 100

const parts = fc.oneof(
  { weight: 3, arbitrary: fc.constant('block' as const) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('head' as const, 'row' as const, 'object' as const, 'all' as const),
  },
)
type Part = typeof parts extends fc.Arbitrary<infer T> ? T : never
const authors = fc.constantFrom('same', 'same', 'same', 'same', 'other', 'stranger')
type Author = typeof authors extends fc.Arbitrary<infer T> ? T : never
/** Cases that always run: nothing edited, whoever signs. */
const signers = ['same', 'other', 'stranger'] as const
/** The member `block` of an erasure statement, third in canonical order, names no block. */
const anotherBlock: Edit = { at: 3, kind: 'replace', value: 'A'.repeat(43) }

describe('whatever is sent to the home is answered as its description says', () => {
  let talk: Conversation
  let home: JudgedHome
  beforeAll(async () => {
    talk = await converse()
    home = await judgedHome(talk.world)
  })

  it(
    'for requests to every operation that deviate from good ones',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...talk.exchanges), deviations, async (exchange, deviation) => {
          const request = await deviating(talk.world, exchange, deviation)
          if (request) await home.fetch(request)
        }),
        { numRuns: 2 * RUNS, seed: SEED },
      )
      const reached = new Set([...home.seen.keys()].map((key) => key.split(' ')[0]))
      const ids = Object.values(HOME_OPERATIONS).flatMap((list) => list.map(({ id }) => id))
      expect(ids.filter((id) => !reached.has(id))).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'for appends of every kind, edited and signed again',
    async () => {
      const templates = await captureAppends(talk)
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...templates),
          parts,
          edits,
          authors,
          async (whole, part, list, author) => {
            const signer = await signerOf(talk, author, whole.signer)
            const body = await editedAppend({ ...whole, signer }, part, list)
            const { result, answer } = await home.fetch(await requestFor(talk.world, appendBlock, { body }))
            if (result === '201') await takeBack(talk, ((await answer.json()) as { block: string }).block)
          },
        ),
        {
          numRuns: RUNS,
          seed: SEED,
          examples: templates.flatMap((one) =>
            signers.map((author): [Template, Part, Edit[], Author] => [one, 'block', [], author]),
          ),
        },
      )
      const deep = ['VIOLATION', 'BLOCK_REFUSED', 'SIGNATURE_INVALID', 'BLOCK_MALFORMED', '201']
      expect(deep.filter((result) => !home.seen.has(`appendBlock ${result}`))).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'for registry blocks, edited and signed again',
    async () => {
      let templates = await captureRegistryBlocks(talk)
      await fc.assert(
        fc.asyncProperty(fc.nat(), edits, authors, async (pick, list, author) => {
          const template = templates[pick % templates.length]
          if (!template) return
          const signer = await signerOf(talk, author, template.signer)
          const body = utf8(await forge('ampere-registry+jws', edit(template.payload, list), signer))
          const { result } = await home.fetch(await requestFor(talk.world, addRegistryBlock, { body }))
          if (result === '201') templates = await captureRegistryBlocks(talk)
        }),
        {
          numRuns: RUNS,
          seed: SEED,
          examples: signers.map((author): [number, Edit[], Author] => [0, [], author]),
        },
      )
      const deep = ['VIOLATION', 'SIGNATURE_INVALID', 'BLOCK_MALFORMED', 'JWS_MALFORMED']
      expect(deep.filter((result) => !home.seen.has(`addRegistryBlock ${result}`))).toEqual([])
    },
    TIMEOUT_MS,
  )

  it(
    'for erasure statements, edited and signed again',
    async () => {
      const said = talk.exchanges.find(({ operation }) => operation === addErased)
      const { payload } = parseJws(fromUtf8(said?.asking.body ?? new Uint8Array(0)), 'ampere-erased+jws')
      await fc.assert(
        fc.asyncProperty(edits, authors, async (list, author) => {
          const signer = await signerOf(talk, author, talk.world.institution('hospital-a').instance)
          const body = utf8(await forge('ampere-erased+jws', edit(payload, list), signer))
          await home.fetch(await requestFor(talk.world, addErased, { ...said?.asking, body }))
        }),
        {
          numRuns: RUNS,
          seed: SEED,
          examples: [...signers.map((author): [Edit[], Author] => [[], author]), [[anotherBlock], 'same']],
        },
      )
      const deep = ['200', 'FORBIDDEN', 'UNAUTHORIZED', 'VERIFICATION_FAILED', 'JWS_MALFORMED']
      expect(deep.filter((result) => !home.seen.has(`addErased ${result}`))).toEqual([])
    },
    TIMEOUT_MS,
  )
})

/** Who signs what was edited: the author, another institution, or a key that nobody knows. */
async function signerOf({ world }: Conversation, author: Author, same: Signer): Promise<Signer> {
  if (author === 'same') return same
  return author === 'other' ? world.institution('hospital-b').instance : makeSigner(world.random)
}

/** An append with one part edited; everything else is as a client sent it. */
async function editedAppend(
  { head, object, payload, signer }: Template,
  part: Part,
  list: readonly Edit[],
): Promise<Uint8Array<ArrayBuffer>> {
  const join = (json: unknown, bytes: Uint8Array) => {
    const text = utf8(JSON.stringify(json))
    return concat(uint32(text.length), text, bytes)
  }
  const wounds = {
    flips: list.map(({ at }) => [at, 1] as [number, number]),
    keep: null,
    more: new Uint8Array(0),
  }
  switch (part) {
    case 'head':
      return join(edit(head, list), object)
    case 'block':
      return join({ ...head, block: await forge('ampere-block+jws', edit(payload, list), signer) }, object)
    case 'row':
      return join(
        { ...head, row: head.row === null ? CANARY : textOf(edit(JSON.parse(head.row), list)) },
        object,
      )
    case 'object':
      return join(head, object.length === 0 ? utf8(CANARY) : scar(object, wounds))
    case 'all':
      return scar(join(head, object), wounds)
  }
}
