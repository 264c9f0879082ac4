// SPDX-License-Identifier: Apache-2.0
import { everyContract } from '#tests/contract/contracts.ts'
import { checkingSignatures } from './fakes/fake-signatures.ts'
import { CREDENTIALS, describeOn, makeStack, type Emulator } from './stack.ts'

/** Of MiniStack 1.5.33 (services/kms.py, _encrypt): its ciphertexts are an XOR that nothing authenticates. */
const UNAUTHENTICATED = 'MiniStack does not authenticate what it encrypts; kms.test.ts has this test'

/** Every port's contract on an emulator. */
export function contractOn(emulator: Emulator): void {
  describeOn(emulator, 'AWS', () => {
    everyContract({
      name: 'aws',
      uploads: true,
      // MiniStack takes whatever signature a URL has.
      outside: checkingSignatures(CREDENTIALS),
      skips: { tampered: UNAUTHENTICATED },
      open: async () => {
        const stack = await makeStack(emulator)
        return { platform: stack.open(), reopen: async () => stack.open({ makesKeys: false }) }
      },
    })
  })
}
