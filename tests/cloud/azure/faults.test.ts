// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Platform } from '#core/ports/needs.ts'
import { auditFindings } from '#tests/core/server/sequence/scene.ts'
import type { TestDeployment } from '#tests/deployment.ts'
import { ACTS } from '#tests/fault/acts.ts'
import { entry, failEachCall, FAULTS, HOME, type Act, type OpenBase } from '#tests/fault/each-call.ts'
import { azureStack, type Stack } from './stack.ts'

/** Every call of the ports fails, while the stores and keys beneath are those of Azure's emulators and fakes. */
const open: { readonly stacks: Stack[]; readonly platforms: Platform[] } = { stacks: [], platforms: [] }
const openBase: OpenBase = async (clock) => {
  const stack = await azureStack()
  const platform = stack.open({ now: () => clock.now })
  open.stacks.push(stack)
  open.platforms.push(platform)
  return platform
}

afterAll(async () => {
  for (const platform of open.platforms) await platform.close()
  for (const stack of open.stacks) await stack.close()
})

describe.each([
  ['append', ACTS.append],
  ['erasure', ACTS.erasure],
] as const)('on Azure, %s', (_, act) => {
  it.each(FAULTS)(
    'survives every single call that fails %s',
    async (fault) => {
      expect(await failEachCall(act, fault, openBase)).toBeGreaterThan(fault === 'not-applied' ? 5 : 2)
    },
    300_000,
  )
})

interface Logging {
  readonly world: TestDeployment
  readonly a: Connection
  readonly record: ChainId
}

describe('on Azure, a sequencer', () => {
  const seen: { world?: TestDeployment } = {}
  const act: Act<Logging> = {
    prepare: async ({ world }) => {
      seen.world = world
      const a = world.connect('hospital-a')
      const { record } = await createRecord(a, HOME, ['general'])
      await a.append(record, [entry('one')])
      return { world, a, record }
    },
    run: ({ world }) => world.tendLog(),
    check: async ({ world, a, record }) => {
      // Its schedule comes again.
      await world.tendLog()
      const { notes } = await a.replica(record)
      const receipts = await Promise.all(notes.map(({ id }, height) => a.api.receipt(record, id, height)))
      return receipts.map((receipt) => receipt !== null)
    },
    expected: [true, true, true],
  }

  it.each(FAULTS)(
    'logs every block once, whichever call was %s',
    async (fault) => {
      expect(await failEachCall(act, fault, openBase)).toBeGreaterThan(5)
      if (!seen.world) throw new Error('there was no home')
      expect(await auditFindings(seen.world)).toEqual([])
    },
    300_000,
  )
})
