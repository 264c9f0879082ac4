// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { fileOf, linesOf, type Line } from '#tests/core/client/receipt/export-mutations.ts'
import { ORIGIN, seededRandom, START_MS, testDeployment } from '#tests/deployment.ts'
import { entry } from '#tests/e2e/revoked-scene.ts'
import { relogged, POLICIES, type Draw } from './relogged.ts'
import { comparable, describeWithPython, inNode, verifyInPython } from '../software.ts'

const START_S = START_MS / 1000
/** Around `SUSPECT_FROM`, and no time. */
const TIMES = [0, 1, START_S - 60, START_S - 1, START_S, START_S + 1, START_S + 600]
const FILES_PER_STORY = 5

interface Story {
  readonly reason: 'retired' | 'suspended' | 'compromised'
  readonly suspectFrom: Timestamp | null
  /** From the last block to the head statement. */
  readonly waitMs: number
}
const STORIES: readonly Story[] = [
  { reason: 'compromised', suspectFrom: toTimestamp(START_MS), waitMs: 600_000 },
  { reason: 'compromised', suspectFrom: toTimestamp(START_MS + 1), waitMs: 0 },
  { reason: 'compromised', suspectFrom: null, waitMs: 180_000 },
  { reason: 'retired', suspectFrom: null, waitMs: 180_001 },
  { reason: 'suspended', suspectFrom: null, waitMs: 90_000 },
]

/** A record of which a key that is revoked later signed every second entry, a minute apart. */
async function exportOf({ reason, suspectFrom, waitMs }: Story): Promise<readonly Line[]> {
  const world = await testDeployment(['hospital-a'])
  const { second } = world.institution('hospital-a')
  const a = world.connect('hospital-a')
  const other = world.connect('hospital-a', { signer: second })
  const { record } = await createRecord(a, { deployment: asDeploymentId('home-1'), origin: ORIGIN }, [
    'general',
  ])
  for (const author of [other, a, other]) {
    world.clock.now += 60_000
    await author.append(record, [entry('one')])
  }
  await world.change('hospital-a', [{ act: 'revoke', kid: second.kid, reason, suspectFrom }])
  world.clock.now += 60_000
  await a.append(record, [entry('two')])
  world.clock.now += waitMs
  return linesOf(fromUtf8(await exportRecord(world.connect('hospital-a'), record)))
}

function drawing(seed: number): Draw {
  const random = seededRandom(seed)
  return (end) => new DataView(random(4).buffer).getUint32(0) % end
}

describeWithPython('a log in any order', () => {
  it('is judged by both alike, whoever cosigned it and when, under four policies', async () => {
    const files: Uint8Array[] = []
    for (const [i, story] of STORIES.entries()) {
      const lines = await exportOf(story)
      for (let n = 0; n < FILES_PER_STORY; n++)
        files.push(fileOf(await relogged(lines, TIMES, drawing(1 + i * 1000 + n))))
    }
    const seen = new Set<string>()
    for (const policy of POLICIES) {
      const here = await Promise.all(files.map((bytes) => inNode(bytes, undefined, undefined, policy)))
      const { answers } = verifyInPython(files, { policy })
      expect(answers.map(comparable)).toEqual(here)
      for (const answer of here) {
        if (!('statuses' in answer)) throw new Error('all receipts verify')
        for (const status of answer.log?.statuses ?? []) seen.add(status)
        for (const { rule } of answer.problems ?? []) seen.add(rule)
      }
    }
    const all = ['witnessed', 'logged', 'promised', 'overdue', 'suspect', 'late']
    expect([...seen].toSorted()).toEqual(
      [...all, 'block-time', 'leaf-order', 'log-time', 'promise', 'revoked', 'split-view'].toSorted(),
    )
  })
})
