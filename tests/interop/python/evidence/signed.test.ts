// SPDX-License-Identifier: Apache-2.0
import { beforeAll, it } from '@jest/globals'
import { evidenceOfCheckpoints, evidenceOfHeads } from '#core/evidence/build.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { inclusionProof, prefixProof } from '#core/log/proof.ts'
import { ORIGIN } from '#tests/deployment.ts'
import { LOG, makeWorld, treeOf, type World } from '#tests/vectors/ampere/evidence/world.ts'
import { describeWithPython } from '../software.ts'
import { expectAlike, PINS, type Case } from './verdicts.ts'

let world: World
beforeAll(async () => {
  world = await makeWorld()
})

const at = (height: number): string => world.blocks[height] ?? ''

describeWithPython('evidence that was signed for it', () => {
  it('of two heads is judged by both alike, whatever their heights, times, chains and links', async () => {
    const cases: Case[] = []
    const fork = await world.otherBlock(5)
    const now = world.timeAt(10)
    const of = { origin: ORIGIN, registry: world.registry }
    const add = async (
      name: string,
      pair: readonly (readonly [block: string, timeMs: number])[],
      links: string[] = [],
    ) => {
      const [one = '', two = ''] = await Promise.all(
        pair.map(([block, timeMs]) => world.headOf(block, timeMs)),
      )
      cases.push({ name, bytes: evidenceOfHeads(of, [one, two], links), pins: PINS })
    }
    for (const [a, b] of [
      [7, 8],
      [8, 7],
      [5, 5],
      [0, 1],
    ] as const)
      for (const late of [-120_001, -120_000, 0, 119_999, 120_000, 120_001])
        await add(`${a} before ${b} by ${late}`, [
          [at(a), now],
          [at(b), now + late],
        ])
    for (const low of [4, 5, 6])
      for (const block of [at(low), fork])
        for (const [from, to] of [
          [5, 9],
          [6, 9],
          [7, 9],
          [6, 8],
          [6, 10],
          [0, 9],
        ] as const)
          await add(
            `blocks ${from} to ${to - 1} from ${low}${block === fork ? ' of the fork' : ''}`,
            [
              [block, now],
              [at(8), now],
            ],
            world.blocks.slice(from, to),
          )
    await expectAlike(cases, ['heads', 'conflict', 'links'])
  })

  it('of two checkpoints is judged by both alike, at all sizes up to 9', async () => {
    const cases: Case[] = []
    const signers = world.signers.slice(0, 1)
    const of = { origin: LOG, log: signers.map(({ key }) => formatVerifierKey(key)) }
    const [one, two] = [
      treeOf(signers, world.others),
      treeOf(signers, world.others.with(2, new Uint8Array(65))),
    ]
    const time = world.timeAt(10)
    for (let large = 0; large <= 9; large++)
      for (let small = 0; small <= large; small++)
        for (const tree of [one, two]) {
          const notes = [await tree.note(small, time), await one.note(large, time)] as const
          const name = `${small} and ${large} of ${tree === one ? 'one' : 'two'}`
          const put = (how: string, contradiction: Parameters<typeof evidenceOfCheckpoints>[2]) =>
            cases.push({
              name: `${name}, ${how}`,
              bytes: evidenceOfCheckpoints(of, notes, contradiction),
              pins: PINS,
            })
          put('root', { how: 'root' })
          const hashes = small > 0 ? prefixProof(one.leaves.slice(0, large), small) : []
          put('prefix', { how: 'prefix', hashes })
          put('prefix with one more', { how: 'prefix', hashes: [...hashes, new Uint8Array(32)] })
          for (const index of [0, 2, small - 1].filter((leaf) => leaf >= 0 && leaf < small)) {
            const leaves = [
              tree.leaves[index] ?? new Uint8Array(32),
              one.leaves[index] ?? new Uint8Array(32),
            ] as const
            const proofs = [
              inclusionProof(tree.leaves.slice(0, small), index),
              inclusionProof(one.leaves.slice(0, large), index),
            ] as const
            put(`leaf ${index}`, { how: 'leaf', index, leaves, proofs })
            put(`leaf ${index} elsewhere`, { how: 'leaf', index: large, leaves, proofs })
          }
        }
    await expectAlike(cases, ['checkpoints', 'conflict', 'proof'])
  })
})
