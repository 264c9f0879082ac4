// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import type { AzureCall } from '#adapters/azure/clients/calls.ts'
import { START_MS, testDeployment } from '#tests/deployment.ts'
import { CALLS_OF_ACTS, callsOfActs } from '../calls.ts'
import { azureStack } from './stack.ts'

it('what each act of a home asks of Azure is what the table of calls says, and never a key of the vault', async () => {
  const stack = await azureStack()
  const clock = { now: START_MS }
  const calls: AzureCall[] = []
  const platform = stack.open({ now: () => clock.now, observe: (call) => void calls.push(call) })
  const world = await testDeployment(['hospital-a'], { clock, base: platform })
  const acts = await callsOfActs(world, () => calls.splice(0).map(({ operation }) => operation))
  await platform.close()
  await stack.close()
  expect(acts).toEqual(CALLS_OF_ACTS)
})
