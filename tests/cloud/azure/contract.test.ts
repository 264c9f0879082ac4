// SPDX-License-Identifier: Apache-2.0
import { afterAll } from '@jest/globals'
import { everyContract } from '#tests/contract/contracts.ts'
import { azureStack, type Stack } from './stack.ts'

const stacks: Stack[] = []
/** Azure: Create a user delegation SAS, of which no part is a length or a hash. */
const UNCHECKED =
  'Blob Storage signs neither length nor hash of what is put: an append checks both, uploads.test.ts has this'

everyContract({
  name: 'Azure (azurite, cosmosdb-server, a fake vault)',
  uploads: true,
  skips: { uploadTerms: UNCHECKED },
  open: async () => {
    const stack = await azureStack()
    stacks.push(stack)
    return { platform: stack.open(), reopen: async () => stack.open({ makesKeys: false }) }
  },
})

afterAll(async () => {
  for (const stack of stacks) await stack.close()
})
