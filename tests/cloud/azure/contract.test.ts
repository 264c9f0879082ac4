// SPDX-License-Identifier: Apache-2.0
import { afterAll } from '@jest/globals'
import { everyContract } from '#tests/contract/contracts.ts'
import { azureStack, type Stack } from './stack.ts'

const stacks: Stack[] = []

everyContract({
  name: 'Azure (azurite, cosmosdb-server, a fake vault)',
  skips: {},
  open: async () => {
    const stack = await azureStack()
    stacks.push(stack)
    return { platform: stack.open(), reopen: async () => stack.open({ makesKeys: false }) }
  },
})

afterAll(async () => {
  for (const stack of stacks) await stack.close()
})
