// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createRecord } from '#core/client/acts/create-record.ts'
import { shareRecord } from '#core/client/acts/share-record.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { checkMirrored } from '#core/client/mirrored/check-mirrored.ts'
import { copyOf } from '#core/server/mirror/copy-of.ts'
import { readLastRun } from '#core/server/mirror/last-run.ts'
import { entry } from '#tests/fault/each-call.ts'
import { describeOn } from '../aws/stack.ts'
import { cloudHomes, MIRROR, type CloudHome, type Homes } from './homes.ts'

describeOn('MiniStack', 'a home on AWS and one on Azure', () => {
  const held: { homes?: Homes } = {}
  const both = (): Homes => {
    if (!held.homes) throw new Error('the homes are not there')
    return held.homes
  }
  beforeAll(async () => {
    held.homes = await cloudHomes()
    await both().aws.roles.sequence()
    await both().azure.roles.sequence()
    both().elapse(1000)
  }, 120_000)
  afterAll(async () => held.homes?.close())

  /** A record of a home, with one entry, which the other home may hold. */
  const recordAt = async ({ connect, world, origin, roles }: CloudHome) => {
    const connection = connect()
    const home = { deployment: world.home.deployment, origin }
    const { record } = await createRecord(connection, home, ['general'])
    await shareRecord(connection, record, { institution: world.institution(MIRROR).id, rights: ['hold'] })
    await connection.append(record, [entry('one')])
    await roles.sequence()
    return record
  }

  it.each([
    ['aws', 'azure'],
    ['azure', 'aws'],
  ] as const)('writes on %s what %s witnesses, mirrors, and anybody verifies', async (at, there) => {
    const [home, other] = [both()[at], both()[there]]
    const record = await recordAt(home)
    await other.roles.mirror()
    const copy = copyOf(
      {
        tables: {
          mirror: other.platform.table('mirror'),
          'mirror-keys': other.platform.table('mirror-keys'),
        },
        objects: { mirror: other.platform.objects('mirror') },
      },
      home.config.deployment,
    )
    expect(other.said.filter(({ event }) => /^mirror-(failed|problems)/.test(event))).toEqual([])
    expect(await readLastRun(copy)).toMatchObject({ problems: 0 })

    const newcomer = home.connect()
    const replica = await newcomer.replica(record)
    const words = await checkMirrored(newcomer, replica)
    expect(words).toMatchObject([{ origin: other.origin, says: 'mirrored', height: replica.head.height }])

    const file = await exportRecord(newcomer, record)
    const { registry } = home.config
    const report = await verifyExport(file, { registry, policy: home.policy, nowMs: newcomer.ports.now() })
    expect(report.problems).toEqual([])
    expect(new Set(report.statuses)).toEqual(new Set(['witnessed']))
    expect(report.receipts).toBe(report.blocks)
    // The other home's policy says nothing of this one's log.
    const wrong = await verifyExport(file, { registry, policy: other.policy, nowMs: newcomer.ports.now() })
    expect(new Set(wrong.statuses)).not.toEqual(new Set(['witnessed']))
  })
})
