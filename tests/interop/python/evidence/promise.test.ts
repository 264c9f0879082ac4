// SPDX-License-Identifier: Apache-2.0
import { beforeAll, it } from '@jest/globals'
import { evidenceOfPromise } from '#core/evidence/build.ts'
import { EMPTY_FRONTIER, extendFrontier } from '#core/log/frontier.ts'
import { formatVerifierKey, type LogSigner } from '#core/log/note/key.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { LOG, makeWorld, treeOf, type World } from '#tests/vectors/ampere/evidence/world.ts'
import { describeWithPython } from '../software.ts'
import { expectAlike, PINS, type Case } from './verdicts.ts'

const HEIGHT = 5

let world: World
let log: readonly [plain: LogSigner, timed: LogSigner, again: LogSigner]
beforeAll(async () => {
  world = await makeWorld()
  const [plain, timed] = world.signers
  if (!plain || !timed) throw new Error('a log has two keys')
  log = [plain, timed, await signerOf(LOG, 'cosignature-ML-DSA-44', 93)]
})

/** Trees before and after, and when which keys signed each: in milliseconds after the statement. */
interface Told {
  readonly name: string
  readonly sizes?: readonly [from: number, to: number]
  readonly fromMs?: readonly (readonly [LogSigner, ms: number])[]
  readonly toMs?: readonly (readonly [LogSigner, ms: number])[]
}

async function caseOf({ name, sizes = [3, 9], fromMs, toMs }: Told): Promise<Case> {
  const keys = log.map(({ key }) => formatVerifierKey(key))
  const [, timed] = log
  const entries = world.others.slice(0, 9)
  const tree = treeOf([timed], entries)
  const stated = world.timeAt(HEIGHT)
  const note = async (size: number, signed: readonly (readonly [LogSigner, ms: number])[]) => {
    const notes = await Promise.all(signed.map(([by, ms]) => tree.note(size, stated + ms, [by])))
    return notes.reduce((all, one) => `${all}${one.slice(one.indexOf('\n\n') + 2)}`)
  }
  const bytes = evidenceOfPromise(
    { origin: ORIGIN, registry: world.registry, log: keys },
    {
      head: await world.headOf(world.blocks[HEIGHT] ?? '', stated),
      block: world.blocks[HEIGHT] ?? '',
      parent: { block: world.blocks[HEIGHT - 1] ?? '', state: world.states[HEIGHT - 1] ?? '' },
      labelKey: world.labelKeyAt(HEIGHT),
      from: {
        note: await note(sizes[0], fromMs ?? [[timed, -300_000]]),
        frontier: extendFrontier(EMPTY_FRONTIER, tree.leaves.slice(0, sizes[0])).hashes,
      },
      to: await note(sizes[1], toMs ?? [[timed, 300_000]]),
      entries: entries.slice(...sizes),
    },
  )
  return { name, bytes, pins: { ...PINS, logs: keys } }
}

describeWithPython('evidence of a promise', () => {
  it('is judged by both alike, from trees of all sizes to trees before and after them', async () => {
    const told = Array.from({ length: 10 }, (_, start) =>
      [start - 1, start, 9]
        .filter((end) => end >= 0)
        .map((end) => ({ name: `${start} to ${end}`, sizes: [start, end] as const })),
    )
    await expectAlike(await Promise.all(told.flat().map(caseOf)), ['promise', 'proof'])
  })

  it('is judged by both alike, whenever which keys of the log say that they signed', async () => {
    const [plain, timed, again] = log
    const told: Told[] = []
    for (const from of [-242_000, -241_000, -121_000, 0])
      for (const to of [-1000, 61_000, 180_000, 181_000])
        told.push({ name: `${from} to ${to}`, fromMs: [[timed, from]], toMs: [[timed, to]] })
    for (const [one, other] of [
      [timed, again],
      [again, timed],
    ] as const) {
      told.push({
        name: 'to: one too early',
        toMs: [
          [one, 180_000],
          [other, 300_000],
        ],
      })
      told.push({
        name: 'to: both late',
        toMs: [
          [one, 181_000],
          [other, 300_000],
        ],
      })
      told.push({
        name: 'from: one too late',
        fromMs: [
          [one, -241_000],
          [other, -300_000],
        ],
      })
      told.push({
        name: 'from: both early',
        fromMs: [
          [one, -242_000],
          [other, -300_000],
        ],
      })
    }
    told.push(
      { name: 'to: no time', toMs: [[plain, 300_000]] },
      { name: 'from: no time', fromMs: [[plain, -300_000]] },
    )
    told.push({
      name: 'to: a time and none',
      toMs: [
        [plain, 0],
        [timed, 300_000],
      ],
    })
    await expectAlike(await Promise.all(told.map(caseOf)), ['promise', 'conflict', 'start', 'time'])
  })
})
