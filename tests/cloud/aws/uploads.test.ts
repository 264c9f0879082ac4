// SPDX-License-Identifier: Apache-2.0
import { largeBodies } from '../large-bodies.ts'
import { checkingSignatures } from './fakes/fake-signatures.ts'
import { CREDENTIALS, describeOn, makeStack } from './stack.ts'

describeOn('MiniStack', 'bodies that no function takes', () => {
  largeBodies(async () => {
    const { open } = await makeStack('MiniStack')
    return { open, outside: checkingSignatures(CREDENTIALS), other: '412 PRECONDITION_FAILED' }
  })
})
