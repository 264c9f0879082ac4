// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { bothChains, makeProposed } from '#core/client/devices/propose.ts'
import { recoveriesOf, settleRecovery } from '#core/client/devices/settle.ts'
import { FAULTS, failEachCall } from '#tests/fault/each-call.ts'
import { addSheet, as, askedBy, claim, HOUR, settingOf } from './setting.ts'

describe.each(FAULTS)('where any one call is %s', (fault) => {
  it('a claim and a sheet are there once when they are repeated', async () => {
    const count = await failEachCall(
      {
        prepare: async ({ world }) => settingOf(world),
        run: async (s) => {
          await claim(s)
          await addSheet(s)
        },
        check: async ({ desk, record }) =>
          (await bothChains(desk, record)).map(({ link: { state } }) => [
            state.controllers.members.length,
            state.recovery?.members.length,
            state.recovery?.threshold,
          ]),
        expected: [
          [2, 3, 2],
          [2, 3, 2],
        ],
      },
      fault,
    )
    expect(count).toBeGreaterThan(4)
  }, 120_000)

  it('a recovery is asked for once and completed once on both chains', async () => {
    const count = await failEachCall(
      {
        prepare: async ({ world }) => {
          const s = await settingOf(world)
          await claim(s)
          await addSheet(s)
          return { ...s, asked: await askedBy(s), began: world.clock.now }
        },
        run: async (s) => {
          const { world, desk, sheet, record, asked } = s
          await makeProposed(desk, asked.whole, asked.draft)
          world.clock.now = s.began + 74 * HOUR
          await settleRecovery(as(sheet, desk), record, 'complete', null)
        },
        check: async ({ desk, next, record }) =>
          (await bothChains(as(next, desk), record)).map((replica) => [
            recoveriesOf(replica).length,
            replica.delayed.length,
            replica.link.state.controllers.members.some(
              (member) => member.kind === 'device' && member.kid === next.member.kid,
            ),
          ]),
        expected: [
          [0, 1, true],
          [0, 1, true],
        ],
      },
      fault,
    )
    expect(count).toBeGreaterThan(4)
  }, 120_000)
})
