// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals'
import type { AwsCall } from '#adapters/aws/clients/calls.ts'
import { START_MS, testDeployment } from '#tests/deployment.ts'
import { CALLS_OF_ACTS, callsOfActs } from '../calls.ts'
import { describeOn, makeStack } from './stack.ts'

describeOn('MiniStack', 'what each act of a home asks of AWS', () => {
  it('is what the table of calls says, and never a key of KMS', async () => {
    const stack = await makeStack('MiniStack')
    const clock = { now: START_MS }
    const calls: AwsCall[] = []
    const platform = stack.open({ now: () => clock.now, observe: (call) => void calls.push(call) })
    const world = await testDeployment(['hospital-a'], { clock, base: platform })
    const take = () => calls.splice(0).map(({ operation }) => operation)
    const acts = await callsOfActs(world, take)
    await platform.close()
    expect(acts).toEqual(CALLS_OF_ACTS)
  })
})
