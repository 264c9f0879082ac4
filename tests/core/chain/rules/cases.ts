// SPDX-License-Identifier: Apache-2.0
import { CONTROL_CASES } from './control-cases.ts'
import { ERASE_CASES } from './erase-cases.ts'
import { PLACE_CASES, type Case } from './place-cases.ts'
import { FROZEN_CASES } from './frozen-cases.ts'
import { RECOVER_CASES } from './recover-cases.ts'
import { RECOVERY_CASES } from './recovery-cases.ts'
import { REHOME_CASES } from './rehome-cases.ts'

/** A block for each way in which a rule of a chain can be broken. */
export const CASES: readonly Case[] = [
  ...PLACE_CASES,
  ...CONTROL_CASES,
  ...ERASE_CASES,
  ...REHOME_CASES,
  ...RECOVERY_CASES,
  ...RECOVER_CASES,
  ...FROZEN_CASES,
]
