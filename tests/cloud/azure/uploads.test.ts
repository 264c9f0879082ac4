// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe } from '@jest/globals'
import { largeBodies } from '../large-bodies.ts'
import { azureStack, type Stack } from './stack.ts'

const stacks: Stack[] = []
afterAll(async () => void (await Promise.all(stacks.map((stack) => stack.close()))))

describe('bodies that no function takes, on Azure', () => {
  largeBodies(async () => {
    const stack = await azureStack()
    stacks.push(stack)
    return {
      open: (options) => stack.open(options),
      outside: (request) => fetch(request),
      other: '422 BLOCK_REFUSED',
    }
  })
})
