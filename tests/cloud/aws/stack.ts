// SPDX-License-Identifier: Apache-2.0
import { describe } from '@jest/globals'
import type { Emulator } from './emulators/make-stack.ts'

export { CREDENTIALS, makeKey, makeStack, type Emulator, type Stack } from './emulators/make-stack.ts'

/** Why an emulator does not run, where it does not. */
const MISSING = process.env['AMPERE_AWS_MINISTACK_MISSING']
const LOCAL_MISSING = process.env['AMPERE_AWS_DYNAMODB_MISSING']

/** Emulators of all services. The second has Amazon's own one for tables. */
export const EMULATORS: Readonly<Record<Emulator, string | null>> = {
  MiniStack: MISSING ?? null,
  'MiniStack with DynamoDB Local': MISSING ?? LOCAL_MISSING ?? null,
}

/** Tests on an emulator, or ones that are skipped by name with the reason. */
export function describeOn(emulator: Emulator, name: string, tests: () => void): void {
  const reason = EMULATORS[emulator]
  if (reason === null) describe(`${emulator}: ${name}`, tests)
  else describe.skip(`${emulator}: ${name} (skipped: ${reason})`, tests)
}
